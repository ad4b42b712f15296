-- The benchmark's table: a row is about 100 bytes of JSON, a page of 20 about 2 KB.
CREATE TABLE todos (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  title      TEXT NOT NULL,
  done       BOOLEAN NOT NULL DEFAULT 0,
  priority   INTEGER NOT NULL DEFAULT 0,
  created_at TIMESTAMP NOT NULL DEFAULT 1700000000
);
CREATE INDEX todos_priority ON todos (priority);
