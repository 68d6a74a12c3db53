"""The tables and views of an index file, and the numbers that tell it from other files."""

APPLICATION_ID = 0x64656475
"""In the header of the file: "dedu"."""

SCHEMA_VERSION = 3
"""The `user_version` of the file; raised when a table changes."""

PAGE_SIZE = 4096

TABLES = """
CREATE TABLE meta(
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE articles(
    no INTEGER PRIMARY KEY,
    canonical INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    exact INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    own INTEGER NOT NULL,
    other INTEGER NOT NULL,
    full_buckets INTEGER NOT NULL,
    fingerprint INTEGER,
    published INTEGER,
    num_tokens INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    is_integer INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    place_checksum INTEGER NOT NULL,
    content BLOB NOT NULL,
    id TEXT NOT NULL,
    source TEXT,
    title TEXT,
    url TEXT
);
CREATE UNIQUE INDEX articles_by_id ON articles(id);
CREATE INDEX articles_by_fingerprint ON articles(fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX members_by_canonical ON articles(canonical) WHERE canonical != no;

CREATE TABLE sketches(
    no INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    tokens BLOB NOT NULL,
    characters BLOB
);

CREATE TABLE postings(key INTEGER PRIMARY KEY, waiting BLOB NOT NULL);
CREATE TABLE recent_postings(key INTEGER PRIMARY KEY, waiting BLOB NOT NULL);

CREATE TABLE posting_filters(
    first_key INTEGER PRIMARY KEY,
    end_key INTEGER NOT NULL,
    num_keys INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bits BLOB NOT NULL
);

CREATE TABLE recent_keys(
    seq INTEGER PRIMARY KEY,
    before INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    keys BLOB NOT NULL
);

CREATE TABLE posting_state(
    no INTEGER PRIMARY KEY,
    filter_stamp INTEGER NOT NULL,
    log_begin INTEGER NOT NULL,
    log_end INTEGER NOT NULL,
    log_keys INTEGER NOT NULL
);
INSERT INTO posting_state VALUES(1, 0, 0, 0, 0);

CREATE TABLE relations(
    no INTEGER,
    other_no INTEGER,
    kind INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    own INTEGER NOT NULL,
    other INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY(no, other_no)
) WITHOUT ROWID;
CREATE INDEX relations_by_other ON relations(other_no);

CREATE TABLE groups(
    group_id TEXT PRIMARY KEY,
    is_integer INTEGER NOT NULL,
    canonical INTEGER,
    checksum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX groups_by_canonical ON groups(canonical);

CREATE TABLE formulas(
    version INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    num_articles INTEGER NOT NULL,
    learned_at INTEGER NOT NULL
);

CREATE TABLE nights(
    key BLOB PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    after_seq INTEGER NOT NULL,
    up_to_seq INTEGER,
    written_at INTEGER
) WITHOUT ROWID;

CREATE TABLE changes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    group_id,
    article_id,
    canonical_id,
    from_group_id,
    checksum INTEGER NOT NULL
);
"""
"""An article is known by its number `no`, in the order in which articles came. `canonical` is the number of
its canonical, its own for a canonical; `kind`, `exact`, `shared`, `own` and `other` say how it joined, as
`match.scan.Scan` does. An article alone is a group with its own id. A row of `groups` stands for each group
that ever had a member, or another id than its canonical's; it stays, its canonical null, once the group
is gone, so that no group is given its id again. Who waits in a key is in `waiting`, see `packing`.

A row of `posting_filters` tells which keys of a range have no row of `postings`, see `key_filter`; a row of
`recent_keys` which keys came into `recent_postings` together, see `recent_keys`; the one row of
`posting_state` whether what a process has read of both still holds, see `posting_state`.

A row of `nights` stands for the articles of a nightly run, `key` being a hash of their ids and contents. Its
changes are those behind `after_seq` up to `up_to_seq`, which is null while articles are being added;
`written_at` is null until the run's output is in place."""

VIEWS = """
CREATE VIEW article_list AS
    SELECT a.id, coalesce(g.group_id, c.id) AS group_id, c.id AS canonical_id,
        CASE WHEN a.no = c.no THEN 'canonical' WHEN a.exact THEN 'exact' ELSE 'near' END AS relation,
        CASE WHEN a.kind = 0 THEN 1.0 ELSE 1.0 * a.shared / (a.own + a.other - a.shared) END AS jaccard,
        CASE WHEN a.kind = 0 THEN 1.0 ELSE 1.0 * a.shared / a.own END AS coverage,
        a.title, a.source, a.url, a.num_tokens AS words,
        datetime(a.published / 1000000, 'unixepoch') AS published,
        datetime(a.added_at / 1000000, 'unixepoch') AS added
    FROM articles a JOIN articles c ON c.no = a.canonical LEFT JOIN groups g ON g.canonical = c.no;

CREATE VIEW group_list AS
    SELECT g.group_id, c.id AS canonical_id, c.title,
        1 + (SELECT count(*) FROM articles m WHERE m.canonical = c.no AND m.canonical != m.no) AS size
    FROM groups g JOIN articles c ON c.no = g.canonical;

CREATE VIEW links AS
    SELECT p.id AS part_id, w.id AS whole_id, 1.0 * r.shared / min(r.own, r.other) AS coverage,
        1.0 * r.shared / (r.own + r.other - r.shared) AS jaccard
    FROM relations r
        JOIN articles p ON p.no = CASE r.kind WHEN 3 THEN r.no ELSE r.other_no END
        JOIN articles w ON w.no = CASE r.kind WHEN 3 THEN r.other_no ELSE r.no END
    WHERE r.kind IN (3, 4) AND p.canonical != w.canonical;

CREATE VIEW also_matches AS
    SELECT a.id, c.id AS canonical_id, 1.0 * r.shared / (r.own + r.other - r.shared) AS jaccard
    FROM relations r JOIN articles a ON a.no = r.no JOIN articles c ON c.no = r.other_no
    WHERE r.kind IN (1, 2);

CREATE VIEW change_list AS
    SELECT seq, datetime(at / 1000000, 'unixepoch') AS at, kind, group_id, article_id, canonical_id,
        from_group_id
    FROM changes;
"""

TABLE_NAMES = (
    "articles",
    "changes",
    "formulas",
    "groups",
    "meta",
    "nights",
    "posting_filters",
    "posting_state",
    "postings",
    "recent_keys",
    "recent_postings",
    "relations",
    "sketches",
)
