-- What wfx with schema version 4 stored, as `sqlite3 wfx.db .dump` shows it.
CREATE TABLE definition (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    document TEXT NOT NULL
);
INSERT INTO "definition" VALUES(1,'{"n":1}');
CREATE TABLE event (
    seq       INTEGER PRIMARY KEY,
    ctime     INTEGER NOT NULL,
    action    TEXT NOT NULL,
    job_id    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    workflow  INTEGER NOT NULL,
    payload   TEXT NOT NULL
);
INSERT INTO "event" VALUES(505,1796000000507000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.507Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(506,1796000000508000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.508Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(507,1796000000509000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.509Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(508,1796000000510000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.51Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(509,1796000000511000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.511Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(510,1796000000512000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.512Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(511,1796000000513000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.513Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(512,1796000000514000,'ADD_TAGS','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22","mtime":"2026-11-30T00:53:20.514Z","tags":["t0","t1","t2"]}');
INSERT INTO "event" VALUES(513,1796000000515000,'DELETE','01a229f1-2808-461c-ae9b-7f244f62ba22','c',2,'{"clientId":"c","id":"01a229f1-2808-461c-ae9b-7f244f62ba22"}');
INSERT INTO "event" VALUES(514,1796000000517000,'CREATE','01a229f1-2a05-4fde-bab5-e57d12127399','d',1,'{"clientId":"d","id":"01a229f1-2a05-4fde-bab5-e57d12127399","mtime":"2026-11-30T00:53:20.517Z","status":{"clientId":"d","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"},"stime":"2026-11-30T00:53:20.517Z"}');
INSERT INTO "event" VALUES(515,1796000000518000,'UPDATE_STATUS','01a229f1-2a05-4fde-bab5-e57d12127399','d',1,'{"clientId":"d","id":"01a229f1-2a05-4fde-bab5-e57d12127399","mtime":"2026-11-30T00:53:20.518Z","status":{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"LOST"}}');
INSERT INTO "event" VALUES(516,1796000000519000,'UPDATE_STATUS','01a229f1-2803-4dcd-b1f4-a8e15a34988c','Kühlhaus-3',1,'{"clientId":"Kühlhaus-3","id":"01a229f1-2803-4dcd-b1f4-a8e15a34988c","mtime":"2026-11-30T00:53:20.519Z","status":{"definitionHash":"100976b0c4cb2d30ac14815dab9396a0f8888c433aaa2f3ce4b3bd204b808914","message":"größe 2","state":"RUN"}}');
CREATE TABLE history (
    number     INTEGER PRIMARY KEY,
    earlier    INTEGER,
    job        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    mtime      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    definition TEXT
);
INSERT INTO "history" VALUES(1,NULL,1,1,1796000000003000,'{"clientId":"Kühlhaus-3","definitionHash":"d3f39f6e99b11fd11a6bd0eb82988fca320435af5db7cac9c7a546a8987b3c2a","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(2,1,1,2,1796000000005000,'{"definitionHash":"d3f39f6e99b11fd11a6bd0eb82988fca320435af5db7cac9c7a546a8987b3c2a","message":"größe 1","state":"RUN"}','{"text":"größer"}');
INSERT INTO "history" VALUES(3,NULL,2,1,1796000000004000,'{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(4,NULL,3,1,1796000000008000,'{"clientId":"c","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(5,4,3,2,1796000000009000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(6,5,3,3,1796000000010000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(7,6,3,4,1796000000011000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(8,7,3,5,1796000000012000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(9,8,3,6,1796000000013000,'{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"RUN"}',NULL);
INSERT INTO "history" VALUES(510,NULL,4,1,1796000000517000,'{"clientId":"d","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',NULL);
INSERT INTO "history" VALUES(511,2,1,3,1796000000006000,'{"definitionHash":"100976b0c4cb2d30ac14815dab9396a0f8888c433aaa2f3ce4b3bd204b808914","message":"größe 1","state":"RUN"}',NULL);
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
, size INTEGER NOT NULL DEFAULT 0, history_bytes INTEGER NOT NULL DEFAULT 0, history_dropped INTEGER NOT NULL DEFAULT 0);
INSERT INTO "job" VALUES(1,'01a229f1-2803-4dcd-b1f4-a8e15a34988c','Kühlhaus-3',65537,1796000000003000,1796000000519000,4,511,'100976b0c4cb2d30ac14815dab9396a0f8888c433aaa2f3ce4b3bd204b808914','["x","ü"]','{"definitionHash":"100976b0c4cb2d30ac14815dab9396a0f8888c433aaa2f3ce4b3bd204b808914","message":"größe 2","state":"RUN"}',149,385,0);
INSERT INTO "job" VALUES(2,'01a229f1-2804-4f72-93b3-22c0f84041fc','b',65536,1796000000004000,1796000000007000,2,3,'4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945','["t"]','{"clientId":"b","definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"NEW"}',120,114,0);
INSERT INTO "job" VALUES(4,'01a229f1-2a05-4fde-bab5-e57d12127399','d',65539,1796000000517000,1796000000518000,2,510,'4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945','[]','{"definitionHash":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","state":"LOST"}',103,114,0);
CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (tag, job)
) WITHOUT ROWID;
INSERT INTO "job_tag" VALUES('t',2);
INSERT INTO "job_tag" VALUES('x',1);
INSERT INTO "job_tag" VALUES('ü',1);
CREATE TABLE leftover (
    entry INTEGER PRIMARY KEY
);
INSERT INTO "leftover" VALUES(9);
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('horizon',504);
INSERT INTO "meta" VALUES('log_id','709fb9ea119f9d79af614804fc71dd0f');
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
INSERT INTO "place" VALUES(196608,3,'NEW','OPEN');
INSERT INTO "place" VALUES(196609,3,'RUN','OPEN');
INSERT INTO "place" VALUES(196610,3,'DONE','CLOSED');
INSERT INTO "place" VALUES(196611,3,'LOST','');
CREATE TABLE workflow (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    deleted  INTEGER,
    document TEXT NOT NULL
);
INSERT INTO "workflow" VALUES(1,'demo.flow',NULL,'{"description":"Runs until it is done","groups":[{"name":"OPEN","states":["NEW","RUN"]},{"name":"CLOSED","states":["DONE"]}],"name":"demo.flow","states":[{"name":"NEW"},{"description":"works","name":"RUN"},{"name":"DONE"},{"name":"LOST"}],"transitions":[{"eligible":"CLIENT","from":"NEW","to":"RUN"},{"eligible":"CLIENT","from":"RUN","to":"DONE"},{"eligible":"WFX","from":"NEW","to":"LOST"}]}');
INSERT INTO "workflow" VALUES(2,'gone',513,'{"description":"Runs until it is done","groups":[{"name":"OPEN","states":["NEW","RUN"]},{"name":"CLOSED","states":["DONE"]}],"name":"gone","states":[{"name":"NEW"},{"description":"works","name":"RUN"},{"name":"DONE"},{"name":"LOST"}],"transitions":[{"eligible":"CLIENT","from":"NEW","to":"RUN"},{"eligible":"CLIENT","from":"RUN","to":"DONE"},{"eligible":"WFX","from":"NEW","to":"LOST"}]}');
INSERT INTO "workflow" VALUES(3,'unused',NULL,'{"description":"Runs until it is done","groups":[{"name":"OPEN","states":["NEW","RUN"]},{"name":"CLOSED","states":["DONE"]}],"name":"unused","states":[{"name":"NEW"},{"description":"works","name":"RUN"},{"name":"DONE"},{"name":"LOST"}],"transitions":[{"eligible":"CLIENT","from":"NEW","to":"RUN"},{"eligible":"CLIENT","from":"RUN","to":"DONE"},{"eligible":"WFX","from":"NEW","to":"LOST"}]}');
CREATE UNIQUE INDEX workflow_name ON workflow (name) WHERE deleted IS NULL;
CREATE INDEX workflow_deleted ON workflow (deleted) WHERE deleted IS NOT NULL;
CREATE INDEX place_workflow ON place (workflow);
CREATE INDEX place_state ON place (state);
CREATE INDEX place_group ON place ("group");
CREATE INDEX job_client ON job (client_id, number, place);
CREATE INDEX job_place ON job (place);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('workflow',3);
