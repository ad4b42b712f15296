-- Four tables that are served, and two that are not: post_tags joins, audit is written by app.c.
CREATE TABLE authors (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE
);

CREATE TABLE posts (
  id           INTEGER PRIMARY KEY,
  author_id    INTEGER NOT NULL REFERENCES authors (id),
  title        TEXT NOT NULL,
  slug         TEXT NOT NULL UNIQUE,               -- set by app.c from the title
  body         TEXT NOT NULL,
  published_at DATETIME,                           -- set by the procedure "publish"
  version      INTEGER NOT NULL DEFAULT 1,         -- raised by one on every update
  created_at   DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX posts_by_author ON posts (author_id);
CREATE INDEX posts_by_published_at ON posts (published_at);

CREATE TABLE comments (
  id         INTEGER PRIMARY KEY,
  post_id    INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  body       TEXT NOT NULL,
  created_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX comments_by_post ON comments (post_id);

CREATE TABLE tags (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE post_tags (
  post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  tag_id  INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  PRIMARY KEY (post_id, tag_id)
);

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  at      DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  address TEXT NOT NULL,
  action  TEXT NOT NULL,
  post_id INTEGER NOT NULL
);
