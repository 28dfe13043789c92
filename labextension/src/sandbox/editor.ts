import { CodeEditor } from '@jupyterlab/codeeditor';
import type { IEditorServices } from '@jupyterlab/codeeditor';

/** An editor for code in `host`; `changed` is called with the text after every change. */
export interface IEditor {
  /** Replace all text; undoing in the editor brings the old text back. */
  setCode(code: string): void;
  dispose(): void;
}

export type EditorFactory = (
  host: HTMLElement,
  code: string,
  changed: (code: string) => void
) => IEditor;

/** JupyterLab's own editor, with its theme, keys and settings. */
export function labEditor(services: IEditorServices): EditorFactory {
  return (host, code, changed) => {
    const model = new CodeEditor.Model({ mimeType: 'text/x-python' });
    model.sharedModel.setSource(code);
    model.sharedModel.clearUndoHistory();
    const editor = services.factoryService.newInlineEditor({
      host,
      model,
      config: { lineNumbers: true, lineWrap: false }
    });
    const tell = (): void => changed(model.sharedModel.getSource());
    model.sharedModel.changed.connect(tell);
    // JupyterLab's own commands for these keys look for documents and cells only.
    const onKeyDown = (event: KeyboardEvent): void => {
      const action = historyAction(event);
      if (action !== null) {
        event.preventDefault();
        event.stopPropagation();
        editor[action]();
      }
    };
    host.addEventListener('keydown', onKeyDown, true);
    return {
      setCode: text => model.sharedModel.setSource(text),
      dispose: () => {
        host.removeEventListener('keydown', onKeyDown, true);
        model.sharedModel.changed.disconnect(tell);
        editor.dispose();
        model.dispose();
      }
    };
  };
}

/** What Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y mean (Cmd on macOS); null for every other key. */
function historyAction(event: KeyboardEvent): 'undo' | 'redo' | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) {
    return null;
  }
  switch (event.key.toLowerCase()) {
    case 'z':
      return event.shiftKey ? 'redo' : 'undo';
    case 'y':
      return event.shiftKey ? null : 'redo';
    default:
      return null;
  }
}
