-- What wfx with schema version 2 stored, as `sqlite3 wfx.db .dump` shows it.
CREATE TABLE definition (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    document TEXT NOT NULL
);
INSERT INTO "definition" VALUES(1,'{"n":3,"text":"äää"}');
CREATE TABLE event (
    seq       INTEGER PRIMARY KEY,
    ctime     INTEGER NOT NULL,
    action    TEXT NOT NULL,
    job_id    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    workflow  INTEGER NOT NULL,
    payload   TEXT NOT NULL
);
INSERT INTO "event" VALUES(1,1782907200001000,'CREATE','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","definition":{"text":"größer \u003cals\u003e \u0026 1"},"id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.001Z","status":{"clientId":"Kühlhaus-3","definitionHash":"4404f17d80ecacaeb74da05ed88e98982260ba009f66123cde554387f0387449","state":"NEW"},"stime":"2026-07-01T12:00:00.001Z","tags":["x","ü"]}');
INSERT INTO "event" VALUES(2,1782907200002000,'CREATE','019f1d8c-e202-4dc8-8300-bb5c7418094a','b',1,'{"clientId":"b","id":"019f1d8c-e202-4dc8-8300-bb5c7418094a","mtime":"2026-07-01T12:00:00.002Z","status":{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"},"stime":"2026-07-01T12:00:00.002Z"}');
INSERT INTO "event" VALUES(3,1782907200003000,'UPDATE_STATUS','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.003Z","status":{"definitionHash":"4404f17d80ecacaeb74da05ed88e98982260ba009f66123cde554387f0387449","message":"größe 0","state":"RUN"}}');
INSERT INTO "event" VALUES(4,1782907200004000,'UPDATE_DEFINITION','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","definition":{"n":0,"text":""},"id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.004Z","status":{"definitionHash":"ef4c602789f858f9c5cd90b021e58dd4a92e63db861bc685c25eac61faefb25f","state":""}}');
INSERT INTO "event" VALUES(5,1782907200005000,'UPDATE_STATUS','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.005Z","status":{"definitionHash":"ef4c602789f858f9c5cd90b021e58dd4a92e63db861bc685c25eac61faefb25f","message":"größe 1","state":"RUN"}}');
INSERT INTO "event" VALUES(6,1782907200006000,'UPDATE_DEFINITION','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","definition":{"n":1,"text":"ä"},"id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.006Z","status":{"definitionHash":"c445d343bd4c68a86bd94ce2f36ad8afe7187a94bd31ad64a93342e583b76ed4","state":""}}');
INSERT INTO "event" VALUES(7,1782907200007000,'UPDATE_STATUS','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.007Z","status":{"definitionHash":"c445d343bd4c68a86bd94ce2f36ad8afe7187a94bd31ad64a93342e583b76ed4","message":"größe 2","state":"RUN"}}');
INSERT INTO "event" VALUES(8,1782907200008000,'UPDATE_DEFINITION','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","definition":{"n":2,"text":"ää"},"id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.008Z","status":{"definitionHash":"fa16b9246b8476c639e6bf5c752aefddc76423d596c8ae386984305b0095b1d6","state":""}}');
INSERT INTO "event" VALUES(9,1782907200009000,'UPDATE_STATUS','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.009Z","status":{"definitionHash":"fa16b9246b8476c639e6bf5c752aefddc76423d596c8ae386984305b0095b1d6","message":"größe 3","state":"RUN"}}');
INSERT INTO "event" VALUES(10,1782907200010000,'UPDATE_DEFINITION','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","definition":{"n":3,"text":"äää"},"id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.01Z","status":{"definitionHash":"48933d144dc296f134841efc20f70851c344f3fa932e082938bbbf02aee8cc52","state":""}}');
INSERT INTO "event" VALUES(11,1782907200011000,'DELETE_TAGS','019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"019f1d8c-e201-4ebc-8af1-d00aa7a1465c","mtime":"2026-07-01T12:00:00.011Z","tags":["ü"]}');
INSERT INTO "event" VALUES(12,1782907200012000,'ADD_TAGS','019f1d8c-e202-4dc8-8300-bb5c7418094a','b',1,'{"clientId":"b","id":"019f1d8c-e202-4dc8-8300-bb5c7418094a","mtime":"2026-07-01T12:00:00.012Z","tags":["t0"]}');
INSERT INTO "event" VALUES(13,1782907200013000,'ADD_TAGS','019f1d8c-e202-4dc8-8300-bb5c7418094a','b',1,'{"clientId":"b","id":"019f1d8c-e202-4dc8-8300-bb5c7418094a","mtime":"2026-07-01T12:00:00.013Z","tags":["t0","t1"]}');
INSERT INTO "event" VALUES(14,1782907200014000,'CREATE','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.014Z","status":{"clientId":"c","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"},"stime":"2026-07-01T12:00:00.014Z"}');
INSERT INTO "event" VALUES(15,1782907200015000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.015Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m0","state":"RUN"}}');
INSERT INTO "event" VALUES(16,1782907200016000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.016Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m1","state":"RUN"}}');
INSERT INTO "event" VALUES(17,1782907200017000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.017Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m2","state":"RUN"}}');
INSERT INTO "event" VALUES(18,1782907200018000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.018Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m3","state":"RUN"}}');
INSERT INTO "event" VALUES(19,1782907200019000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.019Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m4","state":"RUN"}}');
INSERT INTO "event" VALUES(20,1782907200020000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.02Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m5","state":"RUN"}}');
INSERT INTO "event" VALUES(21,1782907200021000,'UPDATE_STATUS','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012","mtime":"2026-07-01T12:00:00.021Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m6","state":"RUN"}}');
INSERT INTO "event" VALUES(22,1782907200022000,'DELETE','019f1d8c-e20e-4dfc-bd2f-07f76be73012','c',2,'{"clientId":"c","id":"019f1d8c-e20e-4dfc-bd2f-07f76be73012"}');
INSERT INTO "event" VALUES(23,1782907200023000,'CREATE','019f1d8c-e217-431c-b6bd-3d44b1547f49','d',1,'{"clientId":"d","id":"019f1d8c-e217-431c-b6bd-3d44b1547f49","mtime":"2026-07-01T12:00:00.023Z","status":{"clientId":"d","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"},"stime":"2026-07-01T12:00:00.023Z"}');
INSERT INTO "event" VALUES(24,1782907200024000,'UPDATE_STATUS','019f1d8c-e217-431c-b6bd-3d44b1547f49','d',1,'{"clientId":"d","id":"019f1d8c-e217-431c-b6bd-3d44b1547f49","mtime":"2026-07-01T12:00:00.024Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}}');
CREATE TABLE history (
    number     INTEGER PRIMARY KEY,
    earlier    INTEGER,
    job        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mtime      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    definition TEXT
);
INSERT INTO "history" VALUES(1,NULL,1,1,1782907200001000,'{"clientId":"Kühlhaus-3","definitionHash":"4404f17d80ecacaeb74da05ed88e98982260ba009f66123cde554387f0387449","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(2,1,1,2,1782907200003000,'{"definitionHash":"4404f17d80ecacaeb74da05ed88e98982260ba009f66123cde554387f0387449","message":"größe 0","state":"RUN"}','{"text":"größer \u003cals\u003e \u0026 1"}');
INSERT INTO "history" VALUES(3,2,1,3,1782907200004000,'{"definitionHash":"ef4c602789f858f9c5cd90b021e58dd4a92e63db861bc685c25eac61faefb25f","message":"größe 0","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(4,3,1,4,1782907200005000,'{"definitionHash":"ef4c602789f858f9c5cd90b021e58dd4a92e63db861bc685c25eac61faefb25f","message":"größe 1","state":"RUN"}','{"n":0,"text":""}');
INSERT INTO "history" VALUES(5,4,1,5,1782907200006000,'{"definitionHash":"c445d343bd4c68a86bd94ce2f36ad8afe7187a94bd31ad64a93342e583b76ed4","message":"größe 1","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(6,5,1,6,1782907200007000,'{"definitionHash":"c445d343bd4c68a86bd94ce2f36ad8afe7187a94bd31ad64a93342e583b76ed4","message":"größe 2","state":"RUN"}','{"n":1,"text":"ä"}');
INSERT INTO "history" VALUES(7,6,1,7,1782907200008000,'{"definitionHash":"fa16b9246b8476c639e6bf5c752aefddc76423d596c8ae386984305b0095b1d6","message":"größe 2","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(8,7,1,8,1782907200009000,'{"definitionHash":"fa16b9246b8476c639e6bf5c752aefddc76423d596c8ae386984305b0095b1d6","message":"größe 3","state":"RUN"}','{"n":2,"text":"ää"}');
INSERT INTO "history" VALUES(9,8,1,9,1782907200010000,'{"definitionHash":"48933d144dc296f134841efc20f70851c344f3fa932e082938bbbf02aee8cc52","message":"größe 3","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(10,NULL,2,1,1782907200002000,'{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(11,10,2,2,1782907200012000,'{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(12,NULL,3,1,1782907200014000,'{"clientId":"c","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(13,12,3,2,1782907200015000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m0","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(14,13,3,3,1782907200016000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m1","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(15,14,3,4,1782907200017000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m2","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(16,15,3,5,1782907200018000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","message":"m3","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(17,NULL,3,1,1782907200023000,'{"clientId":"d","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
CREATE TABLE job (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    client_id       TEXT NOT NULL,
    place           INTEGER NOT NULL REFERENCES place (number),
    stime           INTEGER NOT NULL,
    mtime           INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    history         INTEGER,
    definition_hash TEXT NOT NULL,
    tags            TEXT NOT NULL,
    status          TEXT NOT NULL
);
INSERT INTO "job" VALUES(1,'019f1d8c-e201-4ebc-8af1-d00aa7a1465c','Kühlhaus-3',65537,1782907200001000,1782907200011000,10,9,'48933d144dc296f134841efc20f70851c344f3fa932e082938bbbf02aee8cc52','["ü"]','{"definitionHash":"48933d144dc296f134841efc20f70851c344f3fa932e082938bbbf02aee8cc52","message":"größe 3","state":"RUN"}');
INSERT INTO "job" VALUES(2,'019f1d8c-e202-4dc8-8300-bb5c7418094a','b',65536,1782907200002000,1782907200013000,3,11,'4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945','["t0","t1"]','{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}');
INSERT INTO "job" VALUES(3,'019f1d8c-e217-431c-b6bd-3d44b1547f49','d',65537,1782907200023000,1782907200024000,2,17,'4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945','[]','{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}');
CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (tag, job)
) WITHOUT ROWID;
INSERT INTO "job_tag" VALUES('t0',2);
INSERT INTO "job_tag" VALUES('t1',2);
INSERT INTO "job_tag" VALUES('ü',1);
CREATE TABLE leftover (
    entry INTEGER PRIMARY KEY
);
INSERT INTO "leftover" VALUES(16);
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('horizon',0);
INSERT INTO "meta" VALUES('log_id','0435b0ea1d01f7a4228954cfc8ca3c93');
CREATE TABLE place (
    number   INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL REFERENCES workflow (number),
    state    TEXT NOT NULL,
    "group"  TEXT NOT NULL
);
INSERT INTO "place" VALUES(65536,1,'NEW','OPEN');
INSERT INTO "place" VALUES(65537,1,'RUN','OPEN');
INSERT INTO "place" VALUES(65538,1,'DONE','CLOSED');
INSERT INTO "place" VALUES(65539,1,'LOST','');
CREATE TABLE workflow (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    deleted  INTEGER,
    document TEXT NOT NULL
);
INSERT INTO "workflow" VALUES(1,'demo.flow',NULL,'{"description":"Runs until it is done","groups":[{"name":"OPEN","states":["NEW","RUN"]},{"name":"CLOSED","states":["DONE"]}],"name":"demo.flow","states":[{"name":"NEW"},{"description":"works","name":"RUN"},{"name":"DONE"},{"name":"LOST"}],"transitions":[{"eligible":"CLIENT","from":"NEW","to":"RUN"},{"eligible":"CLIENT","from":"RUN","to":"DONE"},{"eligible":"WFX","from":"NEW","to":"LOST"}]}');
INSERT INTO "workflow" VALUES(2,'gone',22,'{"description":"Runs until it is done","groups":[{"name":"OPEN","states":["NEW","RUN"]},{"name":"CLOSED","states":["DONE"]}],"name":"gone","states":[{"name":"NEW"},{"description":"works","name":"RUN"},{"name":"DONE"},{"name":"LOST"}],"transitions":[{"eligible":"CLIENT","from":"NEW","to":"RUN"},{"eligible":"CLIENT","from":"RUN","to":"DONE"},{"eligible":"WFX","from":"NEW","to":"LOST"}]}');
CREATE UNIQUE INDEX workflow_name ON workflow (name) WHERE deleted IS NULL;
CREATE INDEX workflow_deleted ON workflow (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX place_workflow ON place (workflow);
CREATE INDEX place_state ON place (state);
CREATE INDEX place_group ON place ("group");
CREATE INDEX job_client ON job (client_id, number, place);
CREATE INDEX job_place ON job (place);
DELETE FROM sqlite_sequence;
INSERT INTO "sqlite_sequence" VALUES('workflow',2);
