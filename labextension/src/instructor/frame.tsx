import * as React from 'react';

import { confined } from '../confine';
import type { IFile } from './gradingTypes';

interface IFrameProps {
  /** What it is, for screen readers. */
  title: string;
  /** HTML from the service; students' words may be in it. */
  html: string;
  /** Called when the pointer leaves a frame that has the keyboard. */
  onLeave?: () => void;
}

/** HTML of the service where no script can run and nothing is loaded. */
export function HtmlFrame({ title, html, onLeave }: IFrameProps): JSX.Element {
  const theme = useTheme();
  const page = React.useMemo(() => pageOf(html, theme), [html, theme]);
  const leave = (event: React.MouseEvent): void => {
    // Inside of the frame no key reaches this page.
    if (document.activeElement === event.currentTarget) {
      onLeave?.();
    }
  };
  return (
    <iframe
      className="jp-PPO-frame"
      title={title}
      sandbox=""
      referrerPolicy="no-referrer"
      srcDoc={page}
      style={{ height: heightOf(html) }}
      onMouseLeave={leave}
    />
  );
}

/** Which theme JupyterLab shows, as it changes. */
function useTheme(): string {
  const subscribe = React.useCallback((listener: () => void) => {
    const observer = new MutationObserver(listener);
    observer.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    return () => observer.disconnect();
  }, []);
  return React.useSyncExternalStore(
    subscribe,
    () =>
      `${document.body.dataset['jpThemeLight'] ?? 'true'} ${document.body.dataset['jpThemeName'] ?? ''}`
  );
}

const VARIABLES = [
  '--jp-layout-color0',
  '--jp-layout-color2',
  '--jp-content-font-color1',
  '--jp-content-font-color2',
  '--jp-content-link-color',
  '--jp-content-font-family',
  '--jp-content-font-size1',
  '--jp-code-font-family',
  '--jp-border-color1',
  '--jp-mirror-editor-keyword-color',
  '--jp-mirror-editor-string-color',
  '--jp-mirror-editor-comment-color',
  '--jp-mirror-editor-number-color',
  '--jp-mirror-editor-def-color'
];

// Pygments' short names: keywords, strings, comments, numbers, names that are defined. The rest is
// what MathML leaves to CSS.
const STYLE = `
body { margin: 8px 10px; background: var(--jp-layout-color0); color: var(--jp-content-font-color1);
  font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1, 14px);
  line-height: 1.5; overflow-wrap: anywhere; }
a { color: var(--jp-content-link-color); }
h1, h2, h3, h4 { font-size: 1.1em; margin: .6em 0 .3em; }
p { margin: .4em 0; }
pre, code { font-family: var(--jp-code-font-family, monospace); font-size: .93em; }
pre { margin: .4em 0; white-space: pre-wrap; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--jp-border-color1); padding: 3px 8px; }
.k, .kn, .kc, .ow { color: var(--jp-mirror-editor-keyword-color); }
.s1, .s2, .sd, .sa, .se { color: var(--jp-mirror-editor-string-color); }
.c1, .ch { color: var(--jp-mirror-editor-comment-color); }
.mi, .mf { color: var(--jp-mirror-editor-number-color); }
.nf, .nc { color: var(--jp-mirror-editor-def-color); }
.note { color: var(--jp-content-font-color2); }
.formula { display: block; overflow-x: auto; overflow-y: hidden; }
mtd.left { text-align: left; } mtd.right { text-align: right; }
mtext.bold { font-weight: bold; } mtext.italic { font-style: italic; }
mtext.monospace { font-family: var(--jp-code-font-family, monospace); }
mtext.sans-serif { font-family: sans-serif; }
`;

/** A page around a piece of HTML, in JupyterLab's colours. */
function pageOf(html: string, theme: string): string {
  const computed = getComputedStyle(document.body);
  const values = VARIABLES.map(name => [name, computed.getPropertyValue(name).trim()] as const)
    // A value could only end the style sheet if a theme wanted it to.
    .filter(([, value]) => value !== '' && !/[<>{};]/.test(value))
    .map(([name, value]) => `${name}: ${value};`)
    .join(' ');
  const scheme = theme.startsWith('false') ? 'dark' : 'light';
  const style = `<style>:root { color-scheme: ${scheme}; ${values} }${STYLE}</style>`;
  return confined(`<!DOCTYPE html><html><head>${style}</head><body>${html}</body></html>`);
}

/** A guess at the height in pixels: the page cannot look into the frame. */
function heightOf(html: string): number {
  const text = html.replace(/<[^>]*>/g, '');
  const lines = text.split('\n').reduce((sum, line) => sum + Math.ceil(line.length / 85), 0);
  const blocks = (html.match(/<(p|h[1-6]|li|tr|mtr|pre|div|math display)\b/g) ?? []).length;
  return Math.max(60, Math.min(420, 24 + Math.max(lines, 1) * 22 + blocks * 10));
}

/** Hand a file to the browser, which saves it as any download. */
export function saveFile(file: IFile): void {
  const address = URL.createObjectURL(file.data);
  const link = document.createElement('a');
  link.href = address;
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(address);
}
