import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { OpenInstructor } from '../instructor/openButton';
import {
  aroundEach,
  find,
  has,
  key,
  model,
  node,
  press,
  service,
  show,
  textOf,
  type
} from './instructorPage';

aroundEach('people');

it('shows the courses that one grades in, and what one is there', async () => {
  expect(node.textContent).toContain('Loading');
  await show();
  expect(textOf('.jp-PPO-courseChoice')).toContain('Reinforcement learning (rl)');
  expect(textOf('.jp-PPO-courseChoice .jp-PPO-badge')).toBe('Instructor');
  await type('.jp-PPO-courseChoice select', 'ml');
  expect(model.place).toEqual({ course: 'ml', tab: 'people' });
});

it('moves among the tabs with the arrow keys, Home and End', async () => {
  await show();
  expect(find('[data-tab="people"]').tabIndex).toBe(0);
  await key('[role="tablist"]', 'ArrowRight');
  expect(model.place.tab).toBe('assignments');
  expect(document.activeElement).toBe(find('[data-tab="assignments"]'));
  expect(find('[data-tab="assignments"]').getAttribute('aria-selected')).toBe('true');
  expect(find('[data-tab="people"]').tabIndex).toBe(-1);
  await key('[role="tablist"]', 'ArrowLeft');
  expect(model.place.tab).toBe('people');
  await key('[role="tablist"]', 'Home');
  expect(model.place.tab).toBe('assignments');
  await key('[role="tablist"]', 'End');
  expect(model.place.tab).toBe('people');
});

it('says so to who grades in no course', async () => {
  service.role = 'student';
  await show();
  expect(node.textContent).toContain('You do not grade in any course');
  expect(has('[role="tablist"]')).toBe(false);
});

it('says what the service said, and tries again on request', async () => {
  service.refusal = new Error('The database is being mended.');
  await show();
  expect(textOf('[role="alert"]')).toContain('The database is being mended.');
  service.refusal = null;
  await press('[role="alert"] button');
  expect(has('[role="alert"]')).toBe(false);
  expect(textOf('.jp-PPO-members')).toContain('ada');
});

it('shows a course that was asked for before the courses were known', async () => {
  model.selectCourse('ml');
  await show();
  expect(find<HTMLSelectElement>('.jp-PPO-courseChoice select').value).toBe('ml');
});

it('fetches what is shown anew on request', async () => {
  await show();
  expect(service.filters).toHaveLength(1);
  service.people = [];
  await press('.jp-PPO-areaHeader .jp-PPO-button');
  expect(service.filters).toHaveLength(2);
  expect(textOf('.jp-PPO-empty')).toBe('Nobody is in this course yet.');
});

it('has a way there from the course panel for who may grade in the course', () => {
  const course = { name: 'rl', title: 'RL', role: 'grader' } as const;
  const asked: string[] = [];
  const place = document.createElement('div');
  const root = createRoot(place);
  const open = (name: string): number => asked.push(name);
  React.act(() => root.render(<OpenInstructor course={course} onOpen={open} />));
  place.querySelector('button')?.click();
  expect(asked).toEqual(['rl']);
  const student = { ...course, role: 'student' } as const;
  React.act(() => root.render(<OpenInstructor course={student} onOpen={open} />));
  expect(place.innerHTML).toBe('');
  React.act(() => root.unmount());
});
