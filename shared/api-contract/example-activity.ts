/** What a caller may tell that a user did. */
export const exampleActivity = [
  {
    event_id: 'evt_0001',
    user_id: 'user_42',
    activity_type: 'open_dashboard',
    occurred_at: '2026-01-15T09:12:30+01:00',
    timezone: 'Europe/Berlin',
    metadata: { screen: 'overview' },
  },
  {
    event_id: 'evt_0002',
    user_id: 'user_42',
    activity_type: 'export_report',
    occurred_at: '2026-01-15T08:20:00Z',
  },
];
