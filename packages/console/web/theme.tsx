import { signal } from '@preact/signals';

type Theme = 'auto' | 'light' | 'dark';

const key = 'swarmgate-theme';
const next: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };
const theme = signal<Theme>(readTheme());
apply(theme.value);

function readTheme(): Theme {
  try {
    const found = localStorage.getItem(key);
    return found === 'light' || found === 'dark' ? found : 'auto';
  } catch {
    // Storage may be switched off.
    return 'auto';
  }
}

function apply(value: Theme): void {
  if (value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}

export function ThemeButton() {
  const change = () => {
    theme.value = next[theme.value];
    apply(theme.value);
    try {
      localStorage.setItem(key, theme.value);
    } catch {
      // It lasts as long as the page then.
    }
  };
  return (
    <button type="button" class="quiet" onClick={change}>
      Theme: {theme.value}
    </button>
  );
}
