// Bundles the page for staff of the JupyterHub service: one script and one style sheet, which the
// service serves itself. A classic script, because a module would be fetched as other requests are.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const folder = '../jupyter_ppo/hub/static';

const { outputFiles } = await build({
  entryPoints: [
    { in: 'src/staff/index.tsx', out: 'staff' },
    { in: 'style/staff.css', out: 'staff' }
  ],
  outdir: folder,
  bundle: true,
  write: false,
  format: 'iife',
  target: 'es2022',
  minify: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  // Of the services the page needs only how requests are sent; the whole package cannot be shaken.
  alias: { '@jupyterlab/services': '@jupyterlab/services/lib/serverconnection.js' },
  legalComments: 'inline',
  logLevel: 'warning'
});

await mkdir(folder, { recursive: true });
for (const { path, contents } of outputFiles) {
  const target = join(folder, basename(path));
  const old = await readFile(target).catch(() => null);
  if (old === null || !old.equals(contents)) {
    await writeFile(`${target}.new`, contents);
    await rename(`${target}.new`, target);
  }
}
