/*
 * compensation/toolbox_book.sql: commissions of whole tables, read once.
 */

CREATE OR REPLACE FUNCTION spm._book_support(internal)
    RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'spm_book_support';
REVOKE ALL ON FUNCTION spm._book_support(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_support(internal) IS 'Brings in the planning of spm.book, spm.book_deal and spm.book_period.';

CREATE OR REPLACE FUNCTION spm._book_final(internal)
    RETURNS spm.book
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_book_final';
REVOKE ALL ON FUNCTION spm._book_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_final(internal) IS 'Final function of spm.book.';

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, numeric, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_amount';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, numeric, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, numeric, text) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, amount numeric, periods text) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, numeric, text) IS
$$The totals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_period(). Rows come in any order; null amounts are left out; a null payee is one of its own.
Arguments: payee (smallint, integer, bigint, text or varchar), day, amount (money), periods (day, week, month, quarter, half, year or all).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT payee, period_start, total, commission FROM spm.book_period((SELECT spm.book(rep, day, amount, 'quarter') FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_deal';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, deal anycompatiblenonarray, amount numeric, periods text) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, anycompatiblenonarray, numeric, text) IS
$$The deals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_deal() and spm.book_period(). Rows come in any order: deals are paid by date, then key (integers by number, text by bytes), then amount. Null amounts are left out; a null payee is one of its own. Deals beyond work_mem x hash_mem_multiplier (16 MB at least) go to a temporary file.
Arguments: payee and deal (each smallint, integer, bigint, text or varchar), day, amount (money), periods (day, week, month, quarter, half, year or all).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT deal_key, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal_id, amount, 'quarter') FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text, spm.splits)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_deal';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text, spm.splits) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, text, spm.splits) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, deal anycompatiblenonarray, amount numeric, periods text, splits spm.splits) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, anycompatiblenonarray, numeric, text, spm.splits) IS
$$The deals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_deal() and spm.book_period(). Rows come in any order: deals are paid by date, then key (integers by number, text by bytes), then amount. Null amounts are left out; a null payee is one of its own. Deals beyond work_mem x hash_mem_multiplier (16 MB at least) go to a temporary file. A deal that has splits is credited to their payees instead of its own, apportioned by largest remainder to cents (or to the decimals of its amount, if it has more), so that the parts add up to it.
Arguments: payee and deal (each smallint, integer, bigint, text or varchar), day, amount (money), periods (day, week, month, quarter, half, year or all), splits (what spm.splits() returns, or NULL).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT deal_key, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal_id, amount, 'quarter', (SELECT spm.splits(deal_id, rep, share) FROM deal_split)) FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, numeric, date[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_amount';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, numeric, date[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, numeric, date[]) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, amount numeric, periods date[]) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, numeric, date[]) IS
$$The totals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_period(). Rows come in any order; null amounts are left out; a null payee is one of its own.
Arguments: payee (smallint, integer, bigint, text or varchar), day, amount (money), periods (an ascending array of dates: each period ends where the next begins).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT payee, period_start, total, commission FROM spm.book_period((SELECT spm.book(rep, day, amount, '{2026-01-01,2026-04-01,2026-07-01}') FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[])
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_deal';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[]) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[]) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, deal anycompatiblenonarray, amount numeric, periods date[]) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, anycompatiblenonarray, numeric, date[]) IS
$$The deals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_deal() and spm.book_period(). Rows come in any order: deals are paid by date, then key (integers by number, text by bytes), then amount. Null amounts are left out; a null payee is one of its own. Deals beyond work_mem x hash_mem_multiplier (16 MB at least) go to a temporary file.
Arguments: payee and deal (each smallint, integer, bigint, text or varchar), day, amount (money), periods (an ascending array of dates: each period ends where the next begins).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT deal_key, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal_id, amount, '{2026-01-01,2026-04-01,2026-07-01}') FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[], spm.splits)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_add_deal';
REVOKE ALL ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[], spm.splits) FROM PUBLIC;
COMMENT ON FUNCTION spm._book_add(internal, anynonarray, date, anycompatiblenonarray, numeric, date[], spm.splits) IS 'State function of spm.book.';
CREATE OR REPLACE AGGREGATE spm.book(payee anynonarray, day date, deal anycompatiblenonarray, amount numeric, periods date[], splits spm.splits) (
    SFUNC = spm._book_add, STYPE = internal, SSPACE = 100000,
    FINALFUNC = spm._book_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.book(anynonarray, date, anycompatiblenonarray, numeric, date[], spm.splits) IS
$$The deals of a table by payee and period, in one value without GROUP BY, to be read by spm.book_deal() and spm.book_period(). Rows come in any order: deals are paid by date, then key (integers by number, text by bytes), then amount. Null amounts are left out; a null payee is one of its own. Deals beyond work_mem x hash_mem_multiplier (16 MB at least) go to a temporary file. A deal that has splits is credited to their payees instead of its own, apportioned by largest remainder to cents (or to the decimals of its amount, if it has more), so that the parts add up to it.
Arguments: payee and deal (each smallint, integer, bigint, text or varchar), day, amount (money), periods (an ascending array of dates: each period ends where the next begins), splits (what spm.splits() returns, or NULL).
Errors: 22004 a date, a key or the periods null; 22008 a date that is not finite; 22023 an amount that is not finite, periods unknown or not the same for all rows, or a deal in none of them; 42804 keys of another type; 55000 the book read after its query.
Example: SELECT deal_key, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal_id, amount, '{2026-01-01,2026-04-01,2026-07-01}', (SELECT spm.splits(deal_id, rep, share) FROM deal_split)) FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm._rate_card_final(internal)
    RETURNS spm.rate_card
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_final';
REVOKE ALL ON FUNCTION spm._rate_card_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._rate_card_final(internal) IS 'Final function of spm.rate_card.';

CREATE OR REPLACE FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_rate_card_add';
REVOKE ALL ON FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule) FROM PUBLIC;
COMMENT ON FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule) IS 'State function of spm.rate_card.';
CREATE OR REPLACE AGGREGATE spm.rate_card(payee anynonarray, day date, schedule spm.rate_schedule) (
    SFUNC = spm._rate_card_add, STYPE = internal, SSPACE = 4096,
    FINALFUNC = spm._rate_card_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.rate_card(anynonarray, date, spm.rate_schedule) IS
$$Who earns by which schedule when, in one value, to read a book with. A row is one payee in one period; rows that say the same twice do no harm, rows of payees or periods without deals neither.
Arguments: payee (of the type that the book has), day (any day of the period; null: every period that no other row names), schedule (bounds in amounts; null: no commission).
Errors: 22023 the schedule is in percent of quota, or (when a book is read) a payee has two schedules in one period; 22008 a day that is not finite; 42804 keys of another type.
Example: SELECT spm.rate_card(rep, quarter_start, spm.for_quota('0%: 8%, 100%: 14%', quota)) FROM quotas.$$;

CREATE OR REPLACE FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_rate_card_add';
REVOKE ALL ON FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._rate_card_add(internal, anynonarray, date, spm.rate_schedule, numeric) IS 'State function of spm.rate_card.';
CREATE OR REPLACE AGGREGATE spm.rate_card(payee anynonarray, day date, schedule spm.rate_schedule, quota numeric) (
    SFUNC = spm._rate_card_add, STYPE = internal, SSPACE = 4096,
    FINALFUNC = spm._rate_card_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.rate_card(anynonarray, date, spm.rate_schedule, numeric) IS
$$The same for schedules in percent of quota: spm.rate_card(payee, day, spm.for_quota(schedule, quota)), only quicker where many share a schedule.
Arguments: payee (of the type that the book has), day (any day of the period; null: every period that no other row names), schedule (bounds in percent), quota (money, not negative; null: no commission).
Errors: 22023 the schedule has bounds in amounts, the quota is negative, or (when a book is read) a payee has two schedules in one period; 22008 a day that is not finite; 42804 keys of another type.
Example: SELECT spm.rate_card(rep, quarter_start, '0%: 8%, 100%: 14%', quota) FROM quotas.$$;

CREATE OR REPLACE FUNCTION spm._splits_final(internal)
    RETURNS spm.splits
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_final';
REVOKE ALL ON FUNCTION spm._splits_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._splits_final(internal) IS 'Final function of spm.splits.';

CREATE OR REPLACE FUNCTION spm._splits_add(internal, anynonarray, anycompatiblenonarray, numeric)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_splits_add';
REVOKE ALL ON FUNCTION spm._splits_add(internal, anynonarray, anycompatiblenonarray, numeric) FROM PUBLIC;
COMMENT ON FUNCTION spm._splits_add(internal, anynonarray, anycompatiblenonarray, numeric) IS 'State function of spm.splits.';
CREATE OR REPLACE AGGREGATE spm.splits(deal anynonarray, payee anycompatiblenonarray, share numeric) (
    SFUNC = spm._splits_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._splits_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.splits(anynonarray, anycompatiblenonarray, numeric) IS
$$Who gets which share of a deal, in one value, for spm.book(). Shares need not total 1: what matters is their ratio. Of two that have the same claim to an odd cent the lower payee gets it (integers by number, text by bytes).
Arguments: deal and payee (of the types that the book has), share (0.6 for 60 %).
Errors: 22004 a payee or share null; 22023 a share negative, or (when a book is made) no share of a deal greater than 0; 22003 shares with too many digits; 42804 keys of another type.
Example: SELECT spm.splits(deal_id, rep, share) FROM deal_split.$$;

CREATE OR REPLACE FUNCTION spm._payee_tree_final(internal)
    RETURNS spm.payee_tree
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_live_final';
REVOKE ALL ON FUNCTION spm._payee_tree_final(internal) FROM PUBLIC;
COMMENT ON FUNCTION spm._payee_tree_final(internal) IS 'Final function of spm.payee_tree.';

CREATE OR REPLACE FUNCTION spm._payee_tree_add(internal, anynonarray, anycompatiblenonarray)
    RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'spm_tree_add';
REVOKE ALL ON FUNCTION spm._payee_tree_add(internal, anynonarray, anycompatiblenonarray) FROM PUBLIC;
COMMENT ON FUNCTION spm._payee_tree_add(internal, anynonarray, anycompatiblenonarray) IS 'State function of spm.payee_tree.';
CREATE OR REPLACE AGGREGATE spm.payee_tree(payee anynonarray, parent anycompatiblenonarray) (
    SFUNC = spm._payee_tree_add, STYPE = internal, SSPACE = 65536,
    FINALFUNC = spm._payee_tree_final, PARALLEL = RESTRICTED
);
COMMENT ON AGGREGATE spm.payee_tree(anynonarray, anycompatiblenonarray) IS
$$Who reports to whom, in one value, for spm.rolled_up(). A null parent is the top of the tree.
Arguments: payee and parent (of the type that the book has).
Errors: 22023 a payee has two parents, or (when a book is rolled up) there is a circle; 42804 keys of another type.
Example: SELECT spm.payee_tree(employee_id, manager_id) FROM employees.$$;

CREATE OR REPLACE FUNCTION spm.book_deal(book spm.book, card spm.rate_card DEFAULT NULL, schedule spm.rate_schedule DEFAULT NULL,
                                         places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS TABLE (payee_id bigint, payee text, period_start date, period_end date, deal_id bigint, deal_key text,
                  deal_date date, amount numeric, running_total numeric, commission numeric)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 100000 SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_deal';
COMMENT ON FUNCTION spm.book_deal(spm.book, spm.rate_card, spm.rate_schedule, int, text) IS
$$What each deal of a book earns: one row a deal, in no particular order, its running_total and commission reckoned in order of date, key and amount within its payee and period, as spm.deal_commissions() does. Commissions add up to those of spm.book_period() to the last cent; NULL for who has no schedule. payee_id and deal_id are the keys where they are integers, payee and deal_key the same as text; a period lasts until the day before period_end. Amounts are shown with the decimals of the finest one.
Arguments: book (what spm.book() returned with deals; NULL gives no rows), card (what spm.rate_card() returned), schedule (bounds in amounts; of all who are not on the card), places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22023 the book has totals only, the schedule is in percent of quota, or a payee has two in one period; 22003 a total is above the end of the last tier; 55000 the book read after its query; 42804 payees of the book and of the card differ in type.
Example: SELECT deal_id, commission FROM spm.book_deal((SELECT spm.book(rep, day, deal_id, amount, 'quarter') FROM sales), (SELECT spm.rate_card(rep, quarter_start, '0%: 8%, 100%: 14%', quota) FROM quotas)).$$;

CREATE OR REPLACE FUNCTION spm.book_period(book spm.book, card spm.rate_card DEFAULT NULL, schedule spm.rate_schedule DEFAULT NULL,
                                           places int DEFAULT 2, rounding text DEFAULT 'half_up')
    RETURNS TABLE (payee_id bigint, payee text, period_start date, period_end date, deals bigint, total numeric, commission numeric)
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10000 SUPPORT spm._book_support
    AS 'MODULE_PATHNAME', 'spm_book_period';
COMMENT ON FUNCTION spm.book_period(spm.book, spm.rate_card, spm.rate_schedule, int, text) IS
$$What each payee of a book has in each period, and what that earns: one row a payee and period that have deals, in no particular order. The commission is spm.commission(schedule, total); NULL for who has no schedule. payee_id is the key where it is an integer, payee the same as text; a period lasts until the day before period_end.
Arguments: book (what spm.book() returned; NULL gives no rows), card (what spm.rate_card() returned), schedule (bounds in amounts; of all who are not on the card), places (decimals of the commissions), rounding (half_up, half_even, half_down, up, down, floor, ceil).
Errors: 22023 the schedule is in percent of quota, or a payee has two in one period; 22003 a total is above the end of the last tier; 55000 the book read after its query; 42804 payees of the book and of the card differ in type.
Example: SELECT payee, period_start, total, commission FROM spm.book_period((SELECT spm.book(rep, day, amount, 'quarter') FROM sales), schedule => '0: 5%, 100000: 8%').$$;

CREATE OR REPLACE FUNCTION spm.rolled_up(book spm.book, tree spm.payee_tree)
    RETURNS spm.book
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000
    AS 'MODULE_PATHNAME', 'spm_rolled_up';
COMMENT ON FUNCTION spm.rolled_up(spm.book, spm.payee_tree) IS
$$A book of totals in which everybody has, in each period, what they and all below them in the tree have: to be read by spm.book_period(), with the card of the managers to see what their teams earn them.
Arguments: book (what spm.book() returned), tree (what spm.payee_tree() returned).
Errors: 22023 the tree has a circle; 42804 keys of the book and of the tree differ in type; 55000 the book used after its query.
Example: SELECT payee, period_start, total FROM spm.book_period(spm.rolled_up((SELECT spm.book(rep, day, amount, 'quarter') FROM sales), (SELECT spm.payee_tree(rep, manager) FROM reps))).$$;
