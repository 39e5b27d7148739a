/** Something done on certain days, on most of them within one hour of the user's clock. */
export interface TimeHabit {
  activity: string;
  /** ISO weekdays. */
  weekdays: readonly number[];
  hour: number;
  /** How likely on such a day. */
  chance: number;
}

/** Something done soon after something else. */
export interface SequenceHabit {
  after: string;
  activity: string;
  /** At the latest. */
  withinMinutes: number;
  /** How likely upon each time. */
  chance: number;
}

/** What a group of users has in common. Each user of it differs a little: another hour, other chances. */
export interface UserKind {
  name: string;
  /** How many of a hundred users. */
  ofHundred: number;
  times: readonly TimeHabit[];
  sequences: readonly SequenceHabit[];
  /** What is done at random, at any waking hour, and how often a day. */
  random: { activities: readonly string[]; aDay: number };
  /** The last day with habits, in days before now; left out: they go on. */
  habitsUntil?: number;
  /** The first and the last day with anything at all, in days before now; left out: there is none. */
  activeFrom?: number;
  activeUntil?: number;
}

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const workdays = [1, 2, 3, 4, 5];
const casual = ['search', 'edit_profile', 'read_news', 'invite_colleague', 'open_help', 'view_map'];

/** What many kinds have in common: no habits of this sort, and a few things a day. */
const plain = { times: [], sequences: [], random: { activities: casual, aDay: 2 } };

export const userKinds: readonly UserKind[] = [
  {
    name: 'office',
    ofHundred: 24,
    times: [{ activity: 'open_dashboard', weekdays: workdays, hour: 9, chance: 0.93 }],
    sequences: [{ after: 'read_alert', activity: 'open_incident', withinMinutes: 15, chance: 0.86 }],
    random: { activities: ['read_alert', ...casual], aDay: 4 },
  },
  {
    ...plain,
    name: 'manager',
    ofHundred: 10,
    times: [
      { activity: 'check_calendar', weekdays: workdays, hour: 8, chance: 0.92 },
      { activity: 'plan_week', weekdays: [1], hour: 10, chance: 0.97 },
      { activity: 'export_timesheets', weekdays: [5], hour: 16, chance: 0.95 },
    ],
  },
  {
    name: 'student',
    ofHundred: 18,
    times: [{ activity: 'join_lesson', weekdays: [1, 2, 3, 4], hour: 19, chance: 0.9 }],
    sequences: [{ after: 'join_lesson', activity: 'review_notes', withinMinutes: 60, chance: 0.88 }],
    random: { activities: ['practise_words', 'ask_tutor', 'search', 'read_news'], aDay: 1.5 },
  },
  {
    name: 'weekend cook',
    ofHundred: 12,
    times: [{ activity: 'plan_meals', weekdays: [6, 7], hour: 10, chance: 0.93 }],
    sequences: [{ after: 'plan_meals', activity: 'order_groceries', withinMinutes: 60, chance: 0.85 }],
    random: { activities: ['search', 'read_news', 'view_map'], aDay: 1 },
  },
  {
    ...plain,
    name: 'correspondent',
    ofHundred: 12,
    sequences: [{ after: 'read_message', activity: 'write_reply', withinMinutes: 10, chance: 0.88 }],
    random: { activities: ['read_message', 'read_message', 'search', 'view_map', 'read_news'], aDay: 5 },
  },
  {
    ...plain,
    name: 'lost a habit',
    ofHundred: 6,
    times: [{ activity: 'check_budget', weekdays: everyDay, hour: 21, chance: 0.92 }],
    habitsUntil: 10,
  },
  { ...plain, name: 'no habits', ofHundred: 10, random: { activities: casual, aDay: 6 } },
  {
    ...plain,
    name: 'newcomer',
    ofHundred: 4,
    times: [{ activity: 'open_dashboard', weekdays: everyDay, hour: 9, chance: 0.9 }],
    random: { activities: casual, aDay: 3 },
    activeFrom: 5,
  },
  {
    ...plain,
    name: 'gone',
    ofHundred: 4,
    times: [{ activity: 'open_dashboard', weekdays: workdays, hour: 9, chance: 0.9 }],
    activeUntil: 10,
  },
];
