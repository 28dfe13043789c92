/** What jsdom lacks and uPlot looks at when it is imported. Import it before the board. */
Object.defineProperty(window, 'matchMedia', {
  configurable: true,
  value: (media: string) => ({
    media,
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined
  })
});

export {};
