import { ActivityChoice } from '../events/choice';
import { PreferencesModel } from '../preferences/model';
import { DEFAULTS } from '../preferences/types';
import type {
  IPreferencesClient,
  IStoredPreferences,
  PreferencesPatch
} from '../preferences/types';

class MemoryPreferences implements IPreferencesClient {
  stored: IStoredPreferences = { revision: 1, updated_at: null, preferences: DEFAULTS };
  failures = 0;
  asked = 0;

  async load(): Promise<IStoredPreferences> {
    this.asked += 1;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('The server is starting.');
    }
    return this.stored;
  }

  async patch({ privacy }: PreferencesPatch): Promise<IStoredPreferences> {
    const preferences = { ...this.stored.preferences, privacy: { activity: true, ...privacy } };
    return (this.stored = { ...this.stored, revision: this.stored.revision + 1, preferences });
  }
}

let service: MemoryPreferences;
let model: PreferencesModel;
let choice: ActivityChoice;

async function pass(milliseconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
}

beforeEach(() => {
  jest.useFakeTimers();
  service = new MemoryPreferences();
  model = new PreferencesModel(service);
});

afterEach(() => {
  choice.dispose();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

it('is not known until the service says it, and is asked for until then', async () => {
  service.failures = 2;
  choice = new ActivityChoice(model);
  await pass(0);
  expect(choice.allowed()).toBeNull();
  await pass(10_000);
  expect(service.asked).toBe(3);
  expect(choice.allowed()).toBe(true);
});

it('follows what the person changes here', async () => {
  choice = new ActivityChoice(model);
  await pass(0);
  const seen: unknown[] = [];
  choice.subscribe(() => seen.push(choice.allowed()));
  await model.change({ privacy: { activity: false } });
  expect(choice.allowed()).toBe(false);
  expect(seen[0]).toBe(false); // at once, before it is saved
});

it('learns what was changed elsewhere when the page is looked at again', async () => {
  choice = new ActivityChoice(model);
  await pass(0);
  await service.patch({ privacy: { activity: false } });
  document.dispatchEvent(new Event('visibilitychange'));
  await pass(0);
  expect(choice.allowed()).toBe(true); // asked a moment ago
  await pass(5 * 60_000);
  document.dispatchEvent(new Event('visibilitychange'));
  await pass(0);
  expect(choice.allowed()).toBe(false);
});
