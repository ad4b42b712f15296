-- The whole back end of the example: one table, served at /api/todos.
CREATE TABLE todos (
  id         INTEGER PRIMARY KEY,
  title      TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  done       BOOLEAN NOT NULL DEFAULT 0,
  priority   INTEGER NOT NULL DEFAULT 0,
  due_at     TIMESTAMP_MS,                        -- "dueAt" in JSON, an ISO 8601 instant
  notes      TEXT,
  version    INTEGER NOT NULL DEFAULT 1,          -- raised by one on every update
  created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE INDEX todos_by_priority ON todos (priority);
CREATE INDEX todos_by_created_at ON todos (created_at);
