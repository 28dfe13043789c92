import * as React from 'react';

import { Check, Choice, Field, Problem } from '../instructor/parts';
import { TokensSection } from '../tokens/section';
import type { ITokensClient } from '../tokens/types';
import { Conflict } from './conflict';
import type { PreferencesModel } from './model';
import type { IPreferences, PreferencesPatch } from './types';
import { AXES, BANDS, HINTS, MODES, THEMES, tourText, WINDOWS } from './words';

interface IAreaProps {
  model: PreferencesModel;
  /** One's API tokens; without it there is nothing about them. */
  tokens?: ITokensClient;
  /** Begin the tour; without it there is none. */
  onTour?: () => void;
}

/** The whole page "Preferences": every change is saved by itself. */
export function PreferencesArea({ model, tokens, onTour }: IAreaProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { phase, preferences, problem, refusal, conflict, isSaving, saved } = state;
  const change = (patch: PreferencesPatch): void => void model.change(patch);
  return (
    <div className="jp-PPO-preferencesPage" aria-busy={phase === 'loading' || isSaving}>
      <header className="jp-PPO-areaHeader">
        <h2 className="jp-PPO-title">Preferences</h2>
        {/* Always there, so that screen readers notice what is put into it. */}
        <p className="jp-PPO-preferencesSaved" role="status">
          {isSaving ? 'Saving…' : saved > 0 && refusal === null && conflict === null && 'Saved.'}
        </p>
      </header>
      <p className="jp-PPO-remark">
        They are yours alone, on every device on which you sign in to this server. Each change is
        saved at once.
      </p>
      {problem !== null && <Problem text={problem} onRetry={() => void model.load()} />}
      {phase === 'loading' && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
      {refusal !== null && refusal.field !== 'pseudonym' && (
        <Problem text={`This was not saved. ${refusal.text}`} />
      )}
      {conflict !== null && (
        <Conflict
          conflict={conflict}
          busy={isSaving}
          onMine={() => void model.keepMine()}
          onTheirs={() => model.takeTheirs()}
        />
      )}
      {phase === 'ready' && (
        <>
          <HelpSection preferences={preferences} onChange={change} />
          <LooksSection preferences={preferences} onChange={change} />
          <NoticeSection preferences={preferences} onChange={change} />
          <PrivacySection
            preferences={preferences}
            onChange={change}
            problem={refusal?.field === 'pseudonym' ? refusal.text : null}
            onName={async pseudonym => {
              await model.change({ pseudonym });
              return model.snapshot().refusal === null;
            }}
          />
          {tokens && (
            <Section title="API tokens">
              <TokensSection client={tokens} />
            </Section>
          )}
          {onTour && (
            <Section title="Tour">
              <p className="jp-PPO-remark">{tourText(preferences.tour)}</p>
              <div className="jp-PPO-actions">
                <button type="button" className="jp-PPO-button jp-PPO-startTour" onClick={onTour}>
                  Start the tour
                </button>
              </div>
            </Section>
          )}
        </>
      )}
    </div>
  );
}

function Section(props: { title: string; children: React.ReactNode }): JSX.Element {
  const id = React.useId();
  return (
    <section className="jp-PPO-preferencesSection" aria-labelledby={id}>
      <h3 id={id}>{props.title}</h3>
      {props.children}
    </section>
  );
}

interface IPartProps {
  preferences: IPreferences;
  onChange: (patch: PreferencesPatch) => void;
}

function HelpSection({ preferences, onChange }: IPartProps): JSX.Element {
  const name = React.useId();
  return (
    <Section title="How much help">
      <fieldset className="jp-PPO-preferencesModes">
        <legend>Mode</legend>
        {MODES.map(([mode, label, meaning]) => (
          <label key={mode} className="jp-PPO-preferencesMode">
            <input
              type="radio"
              name={name}
              value={mode}
              checked={preferences.mode === mode}
              onChange={() => onChange({ mode })}
              aria-describedby={`${name}-${mode}`}
            />
            <span>{label}</span>
            <span id={`${name}-${mode}`} className="jp-PPO-remark">
              {meaning}
            </span>
          </label>
        ))}
      </fieldset>
      <Field label="Hints" hint="How much a hint may give away where an exercise offers hints.">
        {control => (
          <Choice
            {...control}
            value={String(preferences.hint_level)}
            options={HINTS}
            onChange={level => onChange({ hint_level: Number(level) })}
          />
        )}
      </Field>
    </Section>
  );
}

function LooksSection({ preferences, onChange }: IPartProps): JSX.Element {
  const { chart, theme } = preferences;
  return (
    <Section title="Looks and charts">
      <Field
        label="Theme"
        hint="Light and dark change JupyterLab itself, on every device of yours."
      >
        {control => (
          <Choice
            {...control}
            value={theme}
            options={THEMES}
            onChange={value => onChange({ theme: value })}
          />
        )}
      </Field>
      <Field
        label="Smoothing"
        hint="Charts of training runs begin with so many points averaged; the raw line stays faint behind."
      >
        {control => (
          <Choice
            {...control}
            value={String(chart.smoothing)}
            options={withOwn(WINDOWS, chart.smoothing)}
            onChange={window => onChange({ chart: { smoothing: Number(window) } })}
          />
        )}
      </Field>
      <Field label="Scale of the values">
        {control => (
          <Choice
            {...control}
            value={chart.axis}
            options={AXES}
            onChange={axis => onChange({ chart: { axis } })}
          />
        )}
      </Field>
      <Field label="Seeds of one setting" hint="How runs that differ only in their seed are drawn.">
        {control => (
          <Choice
            {...control}
            value={chart.band}
            options={BANDS}
            onChange={band => onChange({ chart: { band } })}
          />
        )}
      </Field>
    </Section>
  );
}

/** A window that was set elsewhere, such as in a terminal, is one to choose as well. */
function withOwn(options: typeof WINDOWS, window: number): typeof WINDOWS {
  const own = String(window);
  return options.some(([value]) => value === own)
    ? options
    : [...options, [own, `${own} points`] as const];
}

function NoticeSection({ preferences, onChange }: IPartProps): JSX.Element {
  const { feedback, due, achievements } = preferences.notifications;
  const set = (notifications: PreferencesPatch['notifications']): void =>
    onChange({ notifications });
  return (
    <Section title="Notices">
      <p className="jp-PPO-remark">JupyterLab tells you in a corner of the window when</p>
      <Check
        label="feedback on your work is there"
        checked={feedback}
        onChange={on => set({ feedback: on })}
      />
      <Check
        label="something is due within a day"
        checked={due}
        onChange={on => set({ due: on })}
      />
      <Check
        label="you have a new achievement"
        checked={achievements}
        onChange={on => set({ achievements: on })}
      />
    </Section>
  );
}

interface IPrivacyProps extends IPartProps {
  /** Why the pseudonym was not saved. */
  problem: string | null;
  /** Save a pseudonym; whether that went well. */
  onName: (pseudonym: string) => Promise<boolean>;
}

function PrivacySection(props: IPrivacyProps): JSX.Element {
  const { preferences, onChange, problem, onName } = props;
  return (
    <Section title="Privacy">
      <Check
        label="Report time on task"
        checked={preferences.privacy.activity}
        onChange={activity => onChange({ privacy: { activity } })}
      />
      <p className="jp-PPO-remark">
        The minutes in which you worked in a notebook of the course, and what you validated, are
        told to this server. They never count for a grade or an achievement. Switched off, none are
        told.
      </p>
      <Pseudonym stored={preferences.pseudonym} problem={problem} onSave={onName} />
    </Section>
  );
}

interface IPseudonymProps {
  stored: string;
  problem: string | null;
  onSave: (pseudonym: string) => Promise<boolean>;
}

/** Saved when it is left or with Enter: half a name is none. What is refused stays to be mended. */
function Pseudonym({ stored, problem, onSave }: IPseudonymProps): JSX.Element {
  const [typed, setTyped] = React.useState<string | null>(null);
  const save = async (): Promise<void> => {
    const wanted = typed?.trim() ?? stored;
    if (wanted === stored || (await onSave(wanted))) {
      setTyped(null);
    }
  };
  return (
    <Field
      label="Pseudonym"
      hint="Offered when you join a leaderboard. It alone puts you on none."
      problem={problem}
    >
      {control => (
        <input
          {...control}
          type="text"
          className="jp-PPO-pseudonym"
          maxLength={40}
          value={typed ?? stored}
          onChange={event => setTyped(event.target.value)}
          onBlur={() => void save()}
          onKeyDown={event => event.key === 'Enter' && void save()}
        />
      )}
    </Field>
  );
}
