/** Says which theme the person's system asks for, where JupyterLab would say its own. */

const DARK = '(prefers-color-scheme: dark)';

/** Keep the attributes of `body` that JupyterLab's pages have, now and when the system changes. */
export function followSystemTheme(body: HTMLElement): void {
  const query = window.matchMedia(DARK);
  const show = (): void => {
    body.dataset['jpThemeLight'] = String(!query.matches);
    body.dataset['jpThemeName'] = query.matches ? 'JupyterLab Dark' : 'JupyterLab Light';
  };
  query.addEventListener('change', show);
  show();
}
