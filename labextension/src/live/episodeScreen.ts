/** The pictures of an episode on a canvas. */

/** Decoded pictures that are kept; more would fill the memory of the page. */
const KEPT = 64;
/** Pictures that are decoded before they are needed. */
const AHEAD = 4;

/** Shows pictures by their number; decoding takes its time, and a late one is not shown. */
export class EpisodeScreen {
  readonly canvas = document.createElement('canvas');
  private pictures: readonly (Blob | null)[] = [];
  private readonly decoded = new Map<number, Promise<ImageBitmap | null>>();
  private wanted = -1;
  private isDisposed = false;

  constructor() {
    this.canvas.className = 'ppo-episode-canvas';
    this.canvas.setAttribute('role', 'img');
  }

  /** Show the pictures of another episode; the array may grow later. */
  use(pictures: readonly (Blob | null)[]): void {
    this.clear();
    this.pictures = pictures;
    this.canvas.width = 0;
  }

  /** Show a picture, when it is decoded and still wanted. */
  show(index: number, label: string): void {
    if (index === this.wanted && this.canvas.width > 0) {
      return;
    }
    this.wanted = index;
    this.canvas.dataset.moment = String(index);
    this.canvas.setAttribute('aria-label', label);
    const picture = this.decode(index);
    void picture?.then(bitmap => {
      if (bitmap && index === this.wanted && !this.isDisposed) {
        this.draw(bitmap);
        this.canvas.dataset.shown = String(index);
      }
    });
    for (let next = index + 1; next <= index + AHEAD; next++) {
      void this.decode(next);
    }
  }

  /** Let go of everything. */
  dispose(): void {
    this.isDisposed = true;
    this.clear();
  }

  private draw(bitmap: ImageBitmap): void {
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
    }
    this.canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  }

  private decode(index: number): Promise<ImageBitmap | null> | undefined {
    const picture = this.pictures[index];
    const known = this.decoded.get(index);
    if (known || !picture) {
      return known;
    }
    const made = createImageBitmap(picture).catch(() => null);
    this.decoded.set(index, made);
    for (const [old, bitmap] of this.decoded) {
      if (this.decoded.size <= KEPT) {
        break;
      }
      this.decoded.delete(old);
      void bitmap.then(one => one?.close());
    }
    return made;
  }

  private clear(): void {
    for (const bitmap of this.decoded.values()) {
      void bitmap.then(one => one?.close());
    }
    this.decoded.clear();
    this.wanted = -1;
  }
}
