// Bundles the notebook widgets into one module and one style sheet that the kernel hands out.
// Files that would not change are left alone: the sandbox image is named after their contents.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const folder = '../jupyter_ppo/widgets/static';

const { outputFiles } = await build({
  entryPoints: [{ in: 'src/widgets/index.ts', out: 'live' }],
  outdir: folder,
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  minify: true,
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
