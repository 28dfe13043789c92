module.exports = {
  testEnvironment: '<rootDir>/jest.environment.js',
  testMatch: ['<rootDir>/src/__tests__/**/*.spec.{ts,tsx}'],
  transform: { '^.+\\.tsx?$': ['ts-jest', { tsconfig: 'tsconfig.test.json' }] }
};
