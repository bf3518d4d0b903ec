-- Numbers of the boards, in at most eleven characters.
begin;
select plan(6);

select is(orderlatch_data.terse_number(100.50), '100.5', 'what is short stays as it is');
select is(orderlatch_data.terse_number(1234567.123456789), '1234567.12', 'what is long loses its last digits');
select is(orderlatch_data.terse_number(-0.123456789123), '-0.12345679', 'also below zero');
select is(orderlatch_data.terse_number(12345678901.5), '1.235e+10', 'what is large is read by its power of ten');
select is(orderlatch_data.terse_number(-12345678901.5), '-1.235e+10', 'with its sign, and no space for one');
select is(orderlatch_data.terse_number(null), null, 'what is unknown stays unknown');

select * from finish();
rollback;
