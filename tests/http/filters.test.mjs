// SPDX-License-Identifier: MIT
// Filters over HTTP: decoding, meaning, limits, allowlists (spec/02 sections 1, 4, 5, 13 and 16; the numbers are rows of 16).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, isJson, isProblem, query, startProject } from "./support.mjs";

const items = (options = {}) => ({ table: "items", auth: everyone, ...options });
const app = await startProject({
  schema: `
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, score REAL, active BOOLEAN, ts TIMESTAMP, ms TIMESTAMP_MS, iso TEXT, doc JSON, bytes BLOB,
                        secret_word TEXT, price NUMERIC, dt DATETIME);
    CREATE TABLE words (id INTEGER PRIMARY KEY, email TEXT, "and" TEXT, "or" INTEGER, "true" INTEGER, _x TEXT);`,
  config: {
    server: { maxUrlBytes: 100000 },
    resources: {
      items: items(), words: { auth: everyone },
      byFilterable: items({ fields: { filterable: ["name"] } }), byReadable: items({ fields: { readable: ["id", "name", "age"] } }),
      byBoth: items({ fields: { readable: ["id"], filterable: ["name", "secret_word"] } }),
      byFields: items({ filter: { allowedFields: ["name", "age"] } }),
      byIntersection: items({ fields: { filterable: ["name", "score"] }, filter: { allowedFields: ["name", "age"] } }),
      byOperators: items({ filter: { allowedOperators: ["==", "=in=", ">"] } }),
      tight: items({ filter: { maxLength: 25, maxDepth: 1, maxNodes: 3 } }), loose: items({ filter: { maxLength: 0, maxDepth: 0, maxNodes: 0 } }),
    },
  },
  seed: `
    INSERT INTO items (id,name,age,active,ts,ms,iso,score,price,dt) VALUES
      (1,'Alice',30,1,unixepoch('2024-01-15T10:30:00Z'),1705314600000,'2024-01-15T10:30:00.000Z',1.5,12.5,'2024-01-15T10:30:00.000Z'),
      (2,'bob',5,0,unixepoch('2024-06-15'),1718409600000,'2024-06-15',1e21,7,'2024-06-15T00:00:00.000Z'), (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
      (4,'50% off_x\\y',0,1,0,0,'not a date',-0.1,0.1,NULL), (5,'',100,0,unixepoch('2030-01-01'),1893456000000,'',0,100,NULL),
      (6,'É'||char(10)||'Z😀',7,1,unixepoch('2020-01-01'),1577836800000,'12abc',5,5,NULL);
    UPDATE items SET doc='{"a":1}', bytes=x'01', secret_word='s' WHERE id=1;
    INSERT INTO words VALUES (1,'ann@x.com','a',1,2,'u'), (2,'bob@y.org','b',3,4,'v'), (3,'O''Brien "q" \\ back','é%',5,6,NULL);`,
});
after(() => app.stop());

const problemOf = (message, members) => [400, "filter-parse-error", `Invalid filter expression: ${message}`, members];
const list = (name, filter) => app.get(`/api/${name}${query({ filter, limit: 100 })}`);

/* The matching ids; list, count and aggregate must agree. */
async function matches(filter, name = "items") {
  const response = await list(name, filter);
  assert.equal(response.status, 200, `${filter}: ${response.text}`);
  const ids = response.json.items.map((row) => row.id);
  isJson(await app.get(`/api/${name}/count${query({ filter })}`), 200, { count: ids.length });
  isJson(await app.get(`/api/${name}/aggregate${query({ filter, count: "true" })}`), 200, { groups: [{ key: null, count: ids.length }] });
  return ids.join(",");
}
async function isBad(filter, message, members, name = "items") {
  for (const target of [`/api/${name}`, `/api/${name}/count`])
    isProblem(await app.get(target + query({ filter })), ...problemOf(message, members));
  isProblem(await app.get(`/api/${name}/aggregate${query({ filter, count: "true" })}`), ...problemOf(message, members));
  isProblem(await app.patch(`/api/${name}/batch${query({ filter })}`, {}), ...problemOf(message, members));
  isProblem(await app.delete(`/api/${name}/batch${query({ filter })}`), ...problemOf(message, members));
}

const all = "1,2,3,4,5,6", none = "";
const meanings = {
  "name!=\"Alice\"": "2,4,5,6", "name==\"null\"": none, "age==\"05\"": "2", "age==5.5": none, "age>5": "1,5,6", "age=out=(5,30)": "4,5,6", "age=out=(5,null)": none,
  "age=in=(5,null)": "2", "age=in=()": none, "age=out=()": all, "age=nbetween=[5,30]": "4,5", "age==false": "4", "active==true": "1,4,6", "active!=true": "2,5",
  "active==1": "1,4,6", "active==\"true\"": "1,4,6", "name%=\"a%\"": none, "name!%=\"a%\"": "1,2,4,5,6", "name%=\"50\\\\%%\"": "4", "name=contains=\"%\"": "4",
  "name=contains=\"LICE\"": none, "name=contains=\"\\\\\"": "4", "name=startswith=\"al\"": none, "name=contains=\"ul\"": none, "name=nilike=\"ali%\"": "2,4,5,6",
  "name%=\"%Z%\"": "6", "name=regex=\"^A\"": "1", "name=length=5": "1", "name=length=4": "6", "age=length=2": "1", "age=isempty=true": "3", "name>\"a\"": "2,6",
  "iso>\"2024-01-01\"": "1,2,4", "iso==\"2024-06-15\"": "2", "iso==\"2024-01-15T12:30:00+02:00\"": "1", "iso>\"9\"": "4", "ts>\"2024-01-01\"": "1,2,5",
  "ts<\"2024-01-01\"": "4,6", "ts==\"2024-01-15T10:30:00Z\"": "1", "ts>1704067200": "1,2,5", "ts>1704067200000": "1,2,5", "ts=between=[\"2024-01-01\",\"2024-12-31\"]": "1,2",
  "age==\"abc\"": none, "age!=\"abc\"": "1,2,4,5,6", "age<\"abc\"": none, "age=contains=\"0\"": "1,4,5",
};
test("section 13, the required column", async () => {
  for (const [filter, expected] of Object.entries(meanings)) assert.equal(await matches(filter), expected, filter);
  await isBad("ts=contains=\"2024\"", "Operator '=contains=' is not supported for column 'ts'");
  await isBad("name==(\"Alice\",\"bob\")", "Operator '==' does not accept a list");
  app.sql("UPDATE items SET secret_word='5' WHERE id=6");
  assert.equal(await matches("secretWord==5"), "6");
  app.sql("UPDATE items SET secret_word=NULL WHERE id=6");
});

test("1 an empty filter is none", async () => {
  for (const filter of ["", " ", "\t\n", "\u00a0\u3000\ufeff"]) assert.equal(await matches(filter), all);
});

const cases = {
  "name==\"Alice\";age>18": "1", "age==5,age==30": "1,2", "name==\"x\";age==5,active==true": "1,4,6", "(age==5,age==30);active==true": "1",
  "age==5 and name==\"bob\" or age==7": "2,6", "age==5 AND name==\"bob\" OR age==7": "2,6", "age==5&&name==\"bob\"||age==7": "2,6", "age==30;": "1", "age==30 or ": "1", "age==30,": "1",
  "age=in=(30,5,)": "1,2", "age=between=[5,30]": "1,2,6", "age=between=(5,30)": "1,2,6", "name==null": "3", "name=isnull=true": "3", "name=isnull=\"TRUE\"": "3", "name!=null": "1,2,4,5,6",
  "name=isempty=true": "3,5", "name=isnull=1": "1,2,4,5,6", "name=isnull=false": "1,2,4,5,6", "name=contains=\"%\"": "4", "score==1e21": "2", "score==1e+21": "2", "score==-.1": "4", "score==5.": "6",
  "__covara_deny_all_sentinel__": none, "active==true": "1,4,6", "active=in=(false)": "2,5", "((((((((((age==5))))))))))": "2", "name=iregex=\"^a\"": "1", "id==1;id==2": none,
  "price==12.50": "1", "price>=\"7\"": "1,2,5", "ms>\"2024-01-01\"": "1,2,5", "ms==1705314600000": "1", "dt>\"2024-01-01\"": "1,2", "dt==\"2024-01-15T12:30:00+02:00\"": "1", "doc==\"{\\\"a\\\":1}\"": "1",
  "name=ieq=\"ALICE\"": "1", "name=icontains=\"OFF\"": "4", "name=endswith=\"y\"": "4", "name=in=(\"bob\",\"Alice\")": "1,2", "name=minlength=5": "1,4", "name=maxlength=3": "2,5",
  "age=in=((5,30),7)": "1,2,6", "age=in=[5,30]": "1,2", "age==+5": "2", "age==00005": "2", " age == 5 ": "2", "age=gt=5;age=le=30": "1,6", "bytes=isnull=false": "1",
};
test("2 to 8, 18, 19, 25 to 37, 47 what filters mean", async () => {
  for (const [filter, expected] of Object.entries(cases)) assert.equal(await matches(filter), expected, filter);
});

test("16, 17, 41 quotes, backslashes and apostrophes in values", async () => {
  assert.equal(await matches("email==\"O'Brien \\\"q\\\" \\\\ back\"", "words"), "3");
  assert.equal(await matches("email==\"O\\'Brien\"", "words"), none);
  assert.equal(await matches("and==\"é%\"", "words"), "3");
  assert.equal(await matches("email==\"alice\\\");DROP TABLE words;--\"", "words"), none);
  assert.equal(await matches("", "words"), "1,2,3");
});

test("columns named as keywords, or with an underscore", async () => {
  assert.equal(await matches("and==\"a\" and or==1 or true==4", "words"), "1,2");
  assert.equal(await matches("_x==\"u\"", "words"), "1");
});

const operators = ["!%=", "%=", "==", "!=", ">=", "<=", ">", "<", "=isnull=", "=isempty=", "=in=", "=out=", "=ieq=", "=ine=", "=ilike=", "=nilike=", "=contains=", "=icontains=", "=startswith=",
  "=istartswith=", "=endswith=", "=iendswith=", "=gt=", "=ge=", "=lt=", "=le=", "=between=", "=nbetween=", "=regex=", "=iregex=", "=length=", "=minlength=", "=maxlength="];
const format = { suggestion: "Operators must be in format =name= or symbolic (==, !=, etc.)" };
const literal = { suggestion: "Expected a quoted string, number, true, false, or null" };
const mistakes = {
  "age==5andname==\"bob\"": ["Unexpected input after parsing filter expression: andname==\"bob\"", { position: 6 }],
  ";age==1": ["Invalid identifier start"], "age==1;;age==2": ["Invalid identifier start"], "()": ["Invalid identifier start"], "(age==1;)": ["Invalid identifier start"], "'x'==1": ["Invalid identifier start"],
  "(age==1": ["Unterminated parenthesis in filter expression", { position: 0 }], "age": ["Invalid operator start", { suggestion: "Expected an operator" }], "age=5": ["Invalid operator format", format],
  "age=>5": ["Invalid operator format", format], "age=foo=1": ["Unknown operator: =foo=", { suggestion: "Use a valid operator like ==, !=, =isnull=, =in=, etc.", allowedOperators: operators }],
  "age~5": ["Invalid operator", { suggestion: "Operators must start with = or ! or be symbolic (>, <, etc.)" }], "age==": ["Invalid value", { suggestion: "Expected a value (string, number, boolean, or null)" }],
  "age==abc": ["Unknown value type", literal], "name=='x'": ["Unknown value type", literal], "active==TRUE": ["Unknown value type", literal], "age=in=(,1)": ["Unknown value type", literal],
  "name==\"abc": ["Unterminated string value"], "name==\"abc\\\"": ["Unterminated string value"], "age==-": ["Invalid number value"], "age==.": ["Invalid number value"], "age=in=(1 2)": ["Invalid set value format"],
  "age=in=(1,": ["Unterminated set value"], "age=in=(": ["Unterminated set value"], "age=between=[1]": ["Range must have exactly two values separated by comma"], "age=between=[1,2": ["Unterminated range value"],
  "age=between=(1,2,3)": ["=between= requires exactly two values"], "age=nbetween=(1)": ["=nbetween= requires exactly two values"], "nope==1": ["Unknown column: nope"], "constructor==\"x\"": ["Unknown column: constructor"],
  "secret_word==\"x\"": ["Unknown column: secret_word"], "__proto__==1": ["Unknown column: __proto__"], "owner.name==\"x\"": ["Relation paths are not allowed in filter queries"],
  "name=regex=\"(\"": ["Invalid regular expression"], "bytes==\"x\"": ["Operator '==' is not supported for column 'bytes'"], "doc>\"x\"": ["Operator '>' is not supported for column 'doc'"],
  "active=contains=\"t\"": ["Operator '=contains=' is not supported for column 'active'"], "id==1),(id!=0": ["Unexpected input after parsing filter expression: ),(id!=0", { position: 5 }],
};
test("7, 9 to 15, 20 to 22, 36, 40, 50 what is no filter, on each route that takes one", async () => {
  for (const [filter, [message, members]] of Object.entries(mistakes)) await isBad(filter, message, members);
  assert.equal(operators.length, 33);
});

test("23, 24 limits, as they are by default", async () => {
  const deep = { suggestion: "Maximum nesting depth is 10" }, many = { suggestion: "Maximum 100 conditions allowed" }, long = { suggestion: "Maximum filter length is 4096 characters" };
  await isBad("(".repeat(11) + "age==5" + ")".repeat(11), "Filter is too deeply nested", deep);
  assert.equal(await matches(Array(100).fill("age==5").join(",")), "2");
  await isBad(Array(101).fill("age==5").join(","), "Filter has too many conditions", many);
  assert.equal(await matches(`name=="bob",name=="${"x".repeat(4096 - 20)}"`), "2");
  await isBad(`name=="${"x".repeat(4097 - 8)}"`, "Filter exceeds maximum length", long);
  await isBad("(".repeat(3000), "Filter is too deeply nested", deep);
});

test("limits as configured, 0 being none", async () => {
  assert.equal(await matches("(age==5)", "tight"), "2");
  await isBad("((age==5))", "Filter is too deeply nested", { suggestion: "Maximum nesting depth is 1" }, "tight");
  await isBad("id==1,id==2,id==3,id==4", "Filter has too many conditions", { suggestion: "Maximum 3 conditions allowed" }, "tight");
  await isBad("name==\"xxxxxxxxxxxxxxxxxxx\"", "Filter exceeds maximum length", { suggestion: "Maximum filter length is 25 characters" }, "tight");
  assert.equal(await matches("(".repeat(100) + Array(3000).fill("id==2").join(",") + ")".repeat(100), "loose"), "2");
  assert.equal(await matches(`id==2;name!="${"x".repeat(5000)}"`, "loose"), "2");
});

test("38 fields that may be filtered by", async () => {
  const refused = (field, allowedFields) => [`Field '${field}' is not filterable`, { allowedFields }];
  await isBad("age==1", ...refused("age", ["name"]), "byFilterable");
  await isBad("name==\"x\";age==1", ...refused("age", ["name"]), "byFilterable");
  await isBad("age garbage", ...refused("age", ["name"]), "byFilterable");
  await isBad("secretWord==\"s\"", ...refused("secretWord", ["id", "name", "age"]), "byReadable");
  await isBad("age==1", ...refused("age", ["name", "secretWord"]), "byBoth");
  await isBad("score==1", ...refused("score", ["name", "age"]), "byFields");
  await isBad("age==1", ...refused("age", ["name"]), "byIntersection");
  await isBad("score==1", ...refused("score", ["name"]), "byIntersection");
  assert.equal(await matches("secretWord==\"s\"", "byBoth"), "1");
  assert.equal(await matches("age==5;name==\"bob\"", "byFields"), "2");
  isJson(await app.get("/api/byBoth/1?filter=age==1"), 200, { id: 1 });
});

test("operators that may be used, token by token", async () => {
  const refused = (operator) => [`Operator '${operator}' is not allowed`, { allowedOperators: ["==", "=in=", ">"] }];
  assert.equal(await matches("age>5;age==30,age=in=(7)", "byOperators"), "1,6");
  await isBad("age=gt=5", ...refused("=gt="), "byOperators");
  await isBad("age>=5", ...refused(">="), "byOperators");
  await isBad("name%=\"x\"", ...refused("%="), "byOperators");
});

test("49 decoding of the query: lenient about %, + is a space, only the first counts", async () => {
  const count = async (raw, n, name = "words") => isJson(await app.get(`/api/${name}/count?filter=${raw}`), 200, { count: n });
  await count("email%=\"%@x.com\"", 1);
  await count("email%25=\"%25@x.com\"", 1);
  await count("email%3D%3D%22ann%40x.com%22", 1);
  await count("email==%22ann@x.com%22&filter=((((", 1);
  await count("name==\"50%+off_x\\y\"", 1, "items");
  await count("name=startswith=\"50%+off_x\"", 1, "items");
  await count("name=startswith=\"50%25%20off\"", 1, "items");
  await count("name==%22%C3%89%0AZ%F0%9F%98%80%22", 1, "items");
  await count("age==%2B5", 1, "items");
  await count("+age+==+5+", 1, "items");
});

test("what cannot be decoded stays as it is", async () => {
  const texts = { "a%ad": "a%ad", "a%C3%A9%zz+b%2Bc": "aé%zz b+c", "%": "%", "%4": "%4", "%zz": "%zz", "%ff%41": "%ff%41", "%41%ff": "%41%ff", "%C3%28": "%C3%28", "x%E2%82y%41": "x%E2%82yA" };
  for (const [raw, decoded] of Object.entries(texts)) {
    app.sql(`UPDATE words SET _x='${decoded}' WHERE id=1`);
    isJson(await app.get(`/api/words/count?filter=_x=="${raw}"`), 200, { count: 1 });
  }
});

test("44 a filter in the place of an id deletes nothing", async () => {
  assert.equal((await app.delete("/api/items/x%22,id!=%22")).status, 404);
  assert.equal(await matches(""), all);
});

test("a batch write hits what its filter matches and no other row", async () => {
  const before = app.sql("SELECT id, secret_word AS s FROM items");
  isJson(await app.patch(`/api/items/batch${query({ filter: "name%=\"%Z%\",ts>\"2029-01-01\"" })}`, { secretWord: "hit" }), 200, { count: 2 });
  assert.deepEqual(app.sql("SELECT id, secret_word AS s FROM items"), before.map(({ id, s }) => ({ id, s: id > 4 ? "hit" : s })));
  isJson(await app.delete(`/api/items/batch${query({ filter: "name==null" })}`), 200, { count: 1 });
  assert.equal(await matches(""), "1,2,4,5,6");
});
