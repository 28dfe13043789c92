/** The commands of the tour. */
export const TourCommands = { start: 'ppo-course:tour' } as const;
