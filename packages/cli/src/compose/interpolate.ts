/**
 * Compose's variables in a value: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?error}`; `$$` is a
 * dollar sign (https://docs.docker.com/reference/compose-file/interpolation/). A variable that is not set is empty.
 */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\})/g,
    (
      _whole,
      dollar: string | undefined,
      plain: string | undefined,
      braced: string | undefined,
      sign: string | undefined,
      rest = '',
    ) => {
      if (dollar !== undefined) return '$';
      const value = env[plain ?? braced ?? ''];
      const isMissing = value === undefined || (sign?.startsWith(':') === true && value === '');
      if (sign?.endsWith('-') === true) return isMissing ? rest : (value ?? '');
      if (sign?.endsWith('+') === true) return isMissing ? '' : rest;
      return value ?? '';
    },
  );
}
