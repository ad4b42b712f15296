-- Rows to start with; make run EXAMPLE=blog fills a new database with them.
INSERT INTO authors (name, email) VALUES
  ('Ada', 'ada@example.org'),
  ('Grace', 'grace@example.org');

INSERT INTO posts (author_id, title, slug, body, published_at, created_at) VALUES
  (1, 'Notes on the engine', 'notes-on-the-engine',
   'The engine weaves algebraic patterns, just as the loom weaves flowers & leaves.',
   '2025-01-06T09:00:00.000Z', '2025-01-06T08:00:00.000Z'),
  (2, 'A bug < a moth', 'a-bug-a-moth',
   'First actual case of bug being found. It was taped into the log book of the day.',
   '2025-01-07T15:45:00.000Z', '2025-01-07T15:30:00.000Z'),
  (2, 'Nanoseconds', 'nanoseconds',
   'A piece of wire, eleven point eight inches long. More of it would be a microsecond.',
   NULL, '2025-01-08T10:00:00.000Z');

INSERT INTO comments (post_id, name, body, created_at) VALUES
  (1, 'Charles', 'It wants only money.', '2025-01-06T11:00:00.000Z'),
  (2, 'Ada', 'Keep the tape.', '2025-01-07T16:00:00.000Z');

INSERT INTO tags (name) VALUES ('machines'), ('stories');
INSERT INTO post_tags (post_id, tag_id) VALUES (1, 1), (2, 1), (2, 2);
