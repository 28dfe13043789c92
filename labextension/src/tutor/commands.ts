/** The commands of the tutor. */
export const TutorCommands = {
  open: 'ppo-tutor:open',
  hint: 'ppo-tutor:hint',
  explain: 'ppo-tutor:explain',
  explainRun: 'ppo-tutor:explain-run'
} as const;
