import type { IDownload } from '../types';

/** Hand a file to the browser, which saves it as any download. */
export function save(file: IDownload, type = 'application/x-ipynb+json'): void {
  const address = URL.createObjectURL(new Blob([file.text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(address);
}
