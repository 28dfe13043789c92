import type { KernelMessage } from '@jupyterlab/services';

import { RUN_MIME } from './bundle';
import type { IHost } from './host';

/** A mime bundle as it came from the kernel. */
export type Bundle = KernelMessage.IDisplayDataMsg['content']['data'];

/**
 * Let the notebook's kernel show a run by this code; a kernel is started when there is none.
 *
 * Returns the bundle that it displays. Throws an Error with a sentence for the reader.
 */
export async function showRun(host: IHost, code: string): Promise<Bundle> {
  const { sessionContext } = host;
  let kernel = sessionContext.session?.kernel;
  if (!kernel) {
    await sessionContext.startKernel();
    kernel = sessionContext.session?.kernel;
  }
  if (!kernel) {
    throw new Error('This notebook has no kernel. Choose one (Kernel, Change Kernel) first.');
  }
  const future = kernel.requestExecute({
    code,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false
  });
  let shown: Bundle | null = null;
  future.onIOPub = message => {
    const bundle = displayed(message);
    if (message.header.msg_type === 'display_data' && bundle !== null) {
      shown = bundle;
    }
  };
  const reply = await future.done;
  if (reply.content.status === 'error') {
    const { ename, evalue } = reply.content;
    throw new Error(
      ename === 'ModuleNotFoundError' || ename === 'AttributeError'
        ? `This kernel cannot show runs: ${evalue}.`
        : evalue || ename
    );
  }
  if (shown === null) {
    throw new Error('The kernel was interrupted before it could show the run. Try again.');
  }
  return shown;
}

/** The bundle of a run that a message of the kernel displays or updates, or null. */
export function displayed(message: KernelMessage.IMessage): Bundle | null {
  const { msg_type } = message.header;
  if (msg_type !== 'display_data' && msg_type !== 'update_display_data') {
    return null;
  }
  const { data } = message.content as KernelMessage.IDisplayDataMsg['content'];
  return RUN_MIME in data ? data : null;
}
