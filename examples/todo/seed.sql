-- Rows to start with: covara serve examples/todo --seed examples/todo/seed.sql
INSERT INTO todos (title, done, priority, due_at, notes, created_at) VALUES
  ('Read the configuration reference', 1, 2, NULL,          'docs/configuration.md',            '2025-01-06T08:00:00.000Z'),
  ('Write schema.sql',                 1, 3, 1736330400000, NULL,                               '2025-01-06T08:05:00.000Z'),
  ('Name the resources',               1, 3, 1736416800000, 'One line in covara.jsonc',         '2025-01-06T08:10:00.000Z'),
  ('Try a filter',                     0, 2, 1736503200000, 'GET /api/todos?filter=done==false', '2025-01-07T09:00:00.000Z'),
  ('Sort by due date',                 0, 1, 1736589600000, 'GET /api/todos?orderBy=dueAt',     '2025-01-07T09:30:00.000Z'),
  ('Page through the list',            0, 1, NULL,          'GET /api/todos?limit=3',           '2025-01-08T10:00:00.000Z'),
  ('Count what is left',               0, 0, NULL,          'GET /api/todos/count',             '2025-01-08T10:15:00.000Z'),
  ('Group by priority',                0, 0, NULL,          'GET /api/todos/aggregate',         '2025-01-09T11:00:00.000Z'),
  ('Update with If-Match',             0, 2, 1737021600000, 'The ETag is the version',          '2025-01-09T11:45:00.000Z'),
  ('Add a table of your own',          0, 3, 1737108000000, NULL,                               '2025-01-10T12:00:00.000Z');
