begin;
select plan(4);

select is(test_support.hold_clock('2026-01-02 03:04:05.678901Z'), '2026-01-02 03:04:05.678901Z', 'a held clock says when');
select is(orderlatch_data.clock(), '2026-01-02 03:04:05.678901Z', 'Orderlatch reads the held clock');
select test_support.advance_clock('90 seconds');
select is(orderlatch_data.clock(), '2026-01-02 03:05:35.678901Z', 'a held clock moves when it is moved');

create role someone login;
select test_support.act_as('someone');
select is(session_user::text, 'someone', 'a test can act as another login and still report');
reset session authorization;

select * from finish();
rollback;
