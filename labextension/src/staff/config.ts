/** What the service says to its page; nothing in it is secret. */

import { PageConfig } from '@jupyterlab/coreutils';

export interface IStaffConfig {
  /** Who is signed in. */
  user: string;
  /** The address of the page itself, of the hub's home page, and of signing out. */
  page: string;
  hubHome: string;
  signOut: string;
}

export function readConfig(): IStaffConfig {
  return {
    user: PageConfig.getOption('user'),
    page: PageConfig.getOption('page'),
    hubHome: PageConfig.getOption('hubHome'),
    signOut: PageConfig.getOption('signOut')
  };
}
