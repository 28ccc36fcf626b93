import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

/**
 * A question in front of the page: it takes the focus, keeps it while it is open, and gives it back to what opened it.
 * Escape is its way back, as the button for that is.
 */
export function Dialog({
  title,
  onCancel,
  children,
}: {
  readonly title: string;
  readonly onCancel: () => void;
  readonly children: ComponentChildren;
}) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    place.current?.showModal();
    // By then the dialog is gone: the browser gives the focus back only where it is closed before.
    return () =>
      requestAnimationFrame(() => {
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
        keepFocus();
      });
  }, []);
  return (
    <dialog
      ref={place}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
      // A second Escape with nothing in between closes it without that.
      onClose={onCancel}
    >
      <h2 id={id} class="dialog-title">
        {title}
      </h2>
      {children}
    </dialog>
  );
}

/** What had the focus may be gone: the next key goes on from the content, not from the top of the page. */
export function keepFocus(): void {
  if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true });
}

/** As above, whenever `what` changes. */
export function useKeptFocus(what: unknown): void {
  useEffect(keepFocus, [what]);
}
