-- Private notes: users, their notes, and whom they show them to.
CREATE TABLE users (
  id             TEXT PRIMARY KEY,
  email          TEXT NOT NULL UNIQUE,
  name           TEXT,
  password_hash  TEXT,
  email_verified TIMESTAMP
);
CREATE TABLE notes (
  id         INTEGER PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users(id),
  text       TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 10000),
  pinned     BOOLEAN NOT NULL DEFAULT 0,
  created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  deleted_at DATETIME
);
CREATE INDEX notes_by_user ON notes (user_id);
CREATE TABLE shares (
  note_id INTEGER NOT NULL REFERENCES notes(id),
  user_id TEXT NOT NULL REFERENCES users(id),
  id      INTEGER PRIMARY KEY,
  UNIQUE (note_id, user_id)
);
CREATE INDEX shares_by_user ON shares (user_id);
