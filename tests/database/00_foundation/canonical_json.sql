begin;
select plan(9);

select is(orderlatch_data.canonical_json('{"b": 1, "a": {"d": [], "c": {}}}', 32), '{"a":{"c":{},"d":[]},"b":1}',
  'members are sorted at every level, without white space');
select is(orderlatch_data.canonical_json(
    jsonb_build_object('a', 1, 'B', 1, '', 1, 'aa', 1, 'a b', 1, 'é', 1, 'ﬀ', 1, '😀', 1, 'z', 1), 32),
  '{"":1,"B":1,"a":1,"a b":1,"aa":1,"z":1,"é":1,"ﬀ":1,"😀":1}',
  'keys are sorted by code point, whatever the collation of the database');
select is(orderlatch_data.canonical_json('[3, 1, 2, [], [1.50, -0.0, 1e3]]', 32), '[3,1,2,[],[1.5,0,1000]]',
  'arrays keep their order, numbers take their one spelling');
select is(orderlatch_data.canonical_json('{"a": null, "b": true, "c": false, "d": "x"}', 32),
  '{"a":null,"b":true,"c":false,"d":"x"}', 'null is kept');
select is(
  orderlatch_data.canonical_json(to_jsonb(E'\b\f\n\r\t\u0001\u001f\u007f\u0085\u2028/\\"é'::text), 32),
  E'"\\b\\f\\n\\r\\t\\u0001\\u001f\u007f\u0085\u2028/\\\\\\"é"',
  'only what JSON requires is escaped, in its shortest form, in lower case');
select is(orderlatch_data.canonical_json('"\u00e9\ud83d\ude00\/"', 32), '"é😀/"', 'an escape and its character are the same');
select is(orderlatch_data.canonical_json('{"a": 1, "a": 2}', 32), '{"a":2}', 'of two equal keys the last one stays');
select ok(
  orderlatch_data.canonical_json((repeat('[', 32) || repeat(']', 32))::jsonb, 32) = repeat('[', 32) || repeat(']', 32)
  and orderlatch_data.canonical_json((repeat('[', 33) || repeat(']', 33))::jsonb, 32) is null
  and orderlatch_data.canonical_json((repeat('{"a":', 33) || '1' || repeat('}', 33))::jsonb, 32) is null
  and orderlatch_data.canonical_json((repeat('[', 5000) || repeat(']', 5000))::jsonb, 32) is null,
  'what nests deeper than the levels allowed has no spelling');
select results_eq(
  $$ select orderlatch_data.canonical_json(v.value::jsonb, 32)
       from unnest(array['1e64', '[1, 1e64]', '{"a": {"b": 1e-65}}', '{"a": [1e100000], "b": 1}']) as v(value) $$,
  $$ select null::text from generate_series(1, 4) $$,
  'a number of more than 64 digits anywhere leaves the whole without a spelling');

select * from finish();
rollback;
