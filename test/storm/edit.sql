/*
 * storm/edit.sql: what may change in the company of company.sql, drawn by
 * number.  A statement is text, so that what led to a difference can be told.
 */

-- Kinds of edits, and how often each is drawn.  Some touch single orders, seats and payees;
-- where others come with them everything is calculated again, and nothing is learnt of these.
CREATE TABLE storm.kind (kind text PRIMARY KEY, weight int NOT NULL, is_narrow boolean);
INSERT INTO storm.kind VALUES
    ('order', 6), ('amount', 6), ('delete order', 3), ('date', 5), ('owner', 4), ('key', 2), ('what', 3), ('many', 2), ('in a part', 2),
    ('refund', 5), ('refers', 3), ('share', 4), ('shares changed', 2), ('unshare', 2), ('invoice', 4), ('invoice changed', 2), ('invoice deleted', 2),
    ('partner', 3), ('partner changed', 3), ('partner deleted', 1), ('file', 2), ('file changed', 2), ('file deleted', 1), ('patch', 2), ('all new', 1),
    ('quota', 5), ('quota of all', 1), ('relief', 2), ('ramp', 2), ('absence', 2), ('absence withdrawn', 1), ('objective', 1), ('exchange rate', 3), ('variable', 2), ('lookup', 2), ('holiday', 1),
    ('seat', 3), ('vacant', 2), ('swap', 2), ('manager', 3), ('title', 2), ('newcomer', 1), ('assignment', 2), ('version', 3), ('retire', 1),
    ('rule', 2), ('overlay', 2), ('team', 1), ('rule ends', 2), ('rollup', 1), ('rolldown', 1), ('manual credit', 3), ('manual withdrawn', 1),
    ('adjustment', 3), ('adjustment withdrawn', 1), ('hold', 3), ('release', 2), ('holdback', 1);

UPDATE storm.kind SET is_narrow = kind IN ('order', 'amount', 'delete order', 'date', 'owner', 'key', 'what', 'many', 'in a part', 'refund', 'refers', 'share', 'shares changed', 'unshare',
    'invoice', 'invoice changed', 'invoice deleted', 'partner', 'partner changed', 'partner deleted', 'file', 'file changed', 'file deleted', 'quota', 'relief', 'ramp', 'absence', 'absence withdrawn', 'objective',
    'exchange rate', 'variable', 'manual credit', 'manual withdrawn', 'adjustment', 'adjustment withdrawn', 'hold', 'release', 'holdback');

CREATE TABLE storm.log (seq int, step int GENERATED ALWAYS AS IDENTITY, statement text, outcome text);
CREATE TABLE storm.fault (seq int, fault text);
CREATE TABLE storm.kept (posting_id int PRIMARY KEY, digest text);

-- The key of some row of a column.
CREATE FUNCTION storm.some(purpose text, id bigint, relation text, key text, condition text DEFAULT 'true') RETURNS text
    LANGUAGE plpgsql STABLE AS
$$
DECLARE
    n bigint;
    found text;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE %s', relation, condition) INTO n;
    IF n > 0 THEN
        EXECUTE format('SELECT k FROM (SELECT (%s)::text AS k FROM %s WHERE %s) x ORDER BY k COLLATE "C" OFFSET %s LIMIT 1', key, relation, condition, storm.draw(purpose, id, n)) INTO found;
    END IF;
    RETURN found;
END
$$;

CREATE FUNCTION storm.kind_of(id bigint, only_narrow boolean) RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT k.kind
    FROM (SELECT kind, sum(weight) OVER (ORDER BY kind COLLATE "C") AS upto, sum(weight) OVER () AS total FROM storm.kind WHERE is_narrow OR NOT only_narrow) k
    WHERE k.upto > storm.draw('kind', id, k.total) ORDER BY k.upto LIMIT 1
$$;

-- What an edit of a kind says; NULL: there is nothing to edit.
CREATE FUNCTION storm.statement(kind text, id bigint) RETURNS text
    LANGUAGE plpgsql STABLE AS
$$
#variable_conflict use_column
DECLARE
    day date := date '2026-01-01' + storm.draw('day', id, 181);
    an_order text := storm.some('an order', id, 'storm.orders', 'order_id');
    a_partner text := storm.some('a partner', id, 'storm.partner_order', 'order_no');
    a_file text := storm.some('a file', id, 'storm.file_row', 'file_key');
    a_seat text := storm.some('a seat', id, 'spm.position', 'position_key');
    another text := storm.some('another', id, 'spm.position', 'position_key');
    a_payee text := storm.some('a payee', id, 'spm.payee', 'payee_key');
    a_plan text := storm.some('a plan', id, 'spm.plan', 'name');
    a_month text := storm.some('a month', id, 'spm.period', 'name', 'spm._is_leaf(period_id)');
    of_calendar text := (SELECT k.name FROM spm.period p JOIN spm.calendar k USING (calendar_id) WHERE p.name = a_month);
    since date;
    n int;
BEGIN
    CASE kind
        WHEN 'order' THEN RETURN format('INSERT INTO storm.orders VALUES %s', (SELECT format('(%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)', o.order_id, o.ordered_on, o.owner, o.product, o.account, o.quantity, o.amount, o.cost, o.currency, o.kind, o.reference) FROM storm.make_order(id) o));
        WHEN 'amount' THEN RETURN format('UPDATE storm.orders SET amount = %s, cost = cost + 1 WHERE order_id = %L', 0.01 * (storm.draw('new amount', id, 300000) - 20000), an_order);
        WHEN 'delete order' THEN RETURN format('DELETE FROM storm.orders WHERE order_id = %L', an_order);
        WHEN 'date' THEN RETURN format('UPDATE storm.orders SET ordered_on = %L WHERE order_id = %L', day, an_order);
        WHEN 'owner' THEN RETURN format('UPDATE storm.orders SET owner = %L WHERE order_id = %L', CASE WHEN storm.draw('disowned', id, 8) > 0 THEN a_payee END, an_order);
        WHEN 'key' THEN RETURN format('UPDATE storm.orders SET order_id = %L WHERE order_id = %L', 'k' || id, an_order);
        WHEN 'what' THEN RETURN format('UPDATE storm.orders SET product = %L, account = %L, currency = %L WHERE order_id = %L', storm.pick('product', id, 'desk', 'lamp', 'sofa'), 'a' || storm.draw('account', id, 6), storm.pick('currency', id, 'USD', 'EUR', 'JPY'), an_order);
        WHEN 'many' THEN RETURN format('UPDATE storm.orders SET amount = round(amount * 1.1, 2) WHERE ascii(right(order_id, 1)) %% 5 = %s', storm.draw('many', id, 5));
        WHEN 'in a part' THEN RETURN format('UPDATE storm.orders_%s SET amount = amount + 7, ordered_on = least(ordered_on + 3, %L) WHERE order_id = %L', n, date '2026-06-30',
            storm.some('in a part', id, 'storm.orders_' || n, 'order_id')) FROM (SELECT storm.draw('part', id, 2) AS n) x;
        WHEN 'refund' THEN RETURN (SELECT format('INSERT INTO storm.orders VALUES (%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)', r.order_id, r.ordered_on, r.owner, r.product, r.account, r.quantity, r.amount, r.cost, r.currency, r.kind, r.reference)
            FROM storm.orders o, storm.make_refund(id, o) r WHERE o.order_id = storm.some('refunded', id, 'storm.orders', 'order_id', 'kind = ''booking'''));
        WHEN 'refers' THEN RETURN format('UPDATE storm.orders SET reference = %L, amount = amount - 3 WHERE order_id = %L', CASE WHEN storm.draw('refers', id, 5) > 0 THEN an_order END, storm.some('refund', id, 'storm.orders', 'order_id', 'kind = ''refund'''));
        WHEN 'share' THEN RETURN format('DELETE FROM storm.share WHERE order_id = %1$L; INSERT INTO storm.share VALUES %2$s', an_order, (SELECT string_agg(format('(%L, %L, %s)', an_order, s.owner, s.percent), ', ') FROM storm.make_shares(id) s));
        WHEN 'shares changed' THEN RETURN format('UPDATE storm.share SET percent = 100 - percent WHERE order_id = %L', storm.some('shared', id, '(SELECT order_id FROM storm.share GROUP BY 1 HAVING count(*) = 2) s', 'order_id'));
        WHEN 'unshare' THEN RETURN format('DELETE FROM storm.share WHERE order_id = %L', storm.some('unshared', id, 'storm.share', 'order_id'));
        WHEN 'invoice' THEN RETURN format('INSERT INTO storm.invoice SELECT order_id, %L, round(amount * %s, 2) FROM storm.orders WHERE order_id = %L', day, storm.pick('invoiced part', id, '0.5', '0.3333', '1', '-0.25'), an_order);
        WHEN 'invoice changed' THEN RETURN format('UPDATE storm.invoice SET amount = amount + 10, invoiced_on = %L WHERE order_id = %L', day, storm.some('invoiced', id, 'storm.invoice', 'order_id'));
        WHEN 'invoice deleted' THEN RETURN format('DELETE FROM storm.invoice WHERE order_id = %L', storm.some('invoiced', id, 'storm.invoice', 'order_id'));
        WHEN 'partner' THEN RETURN format('INSERT INTO storm.partner_order VALUES (%s, %L, %L, %L, %s, ''USD'', nextval(''storm.version''))', 100000 + id, day + time '23:30', storm.pick('partner', id, 's5', 's6', 's7', 's1'), storm.pick('sells', id, 'desk', 'sofa'), 50 + storm.draw('price', id, 3000));
        WHEN 'partner changed' THEN RETURN format('UPDATE storm.partner_order SET sold_at = %L, amount = amount + %s, owner = %L, version = nextval(''storm.version''), updated_at = clock_timestamp() WHERE order_no = %s', day + time '01:30', storm.draw('more', id, 500), a_payee, a_partner);
        WHEN 'partner deleted' THEN RETURN format('DELETE FROM storm.partner_order WHERE order_no = %1$s; SELECT spm.declare_change(''partners'', %1$L)', a_partner);
        WHEN 'file' THEN RETURN format('INSERT INTO storm.file_row VALUES (%1$L, %2$L, %3$L, %4$L, %5$s); SELECT spm.declare_change(''files'', %1$L)', md5(id::text)::uuid, day, a_payee, 'a' || storm.draw('account', id, 6), storm.draw('file', id, 900));
        WHEN 'file changed' THEN RETURN format('UPDATE storm.file_row SET amount = amount + 33.33, dated = %L WHERE file_key = %L; SELECT spm.declare_change(''files'', %2$L)', day, a_file);
        WHEN 'file deleted' THEN RETURN format('DELETE FROM storm.file_row WHERE file_key = %1$L; SELECT spm.declare_change(''files'', %1$L)', a_file);
        WHEN 'patch' THEN RETURN format('UPDATE storm.patch SET holder = %L, share = %s WHERE account = %L AND (since IS NULL) = %L; SELECT spm.declare_change(name) FROM spm.source', a_payee, storm.pick('patch', id, '1', '0.5', '0.3333'), 'a' || storm.draw('patch', id, 2), storm.draw('old patch', id, 2) = 0);
        WHEN 'all new' THEN RETURN 'CREATE TABLE storm.away AS SELECT * FROM storm.orders; TRUNCATE storm.orders; INSERT INTO storm.orders SELECT * FROM storm.away WHERE amount > 2 ORDER BY amount; DROP TABLE storm.away';

        WHEN 'quota' THEN RETURN format('SELECT spm.set_quota(%L, %L, %s, %L)', a_seat, CASE storm.draw('quota of', id, 5) WHEN 0 THEN '2026-Q' || 1 + storm.draw('quarter', id, 2) ELSE a_month END, 100 * storm.draw('quota', id, 60), storm.pick('measure', id, 'bookings', 'bookings', 'units'));
        WHEN 'quota of all' THEN RETURN format('SELECT spm.set_quota(%L, %L, %s, ''bookings'', title => %L)', CASE WHEN storm.draw('all', id, 2) = 0 THEN '*' END, a_month, 100 * (1 + storm.draw('quota', id, 60)), CASE WHEN storm.draw('all', id, 2) = 1 THEN 'Partner' END);
        WHEN 'relief' THEN RETURN format('SELECT spm.relieve_quota(%L, %L, %s, ''bookings'', %L)', a_payee, a_month, 50 * storm.draw('relief', id, 20), storm.pick('because', id, 'moved', 'lost'));
        WHEN 'ramp' THEN RETURN format('SELECT spm.assign_ramp(''slow'', %L, %L, share_before => %s)', a_payee, day, storm.pick('before', id, '0', '1'));
        WHEN 'absence' THEN RETURN format('SELECT spm.add_absence(%L, %L, %L, %L)', a_payee, storm.pick('absence', id, 'leave', 'trip'), day, day + 1 + storm.draw('away', id, 30));
        WHEN 'absence withdrawn' THEN RETURN 'SELECT spm.withdraw_absence(' || storm.some('absence', id, 'spm.absence', 'absence_id', 'superseded_at IS NULL') || ')';
        WHEN 'objective' THEN RETURN format('SELECT spm.set_objective(%L, %L, ''Launch'', 0.4, %s)', a_payee, storm.some('a month', id, 'storm.month', 'name'), 0.1 * storm.draw('rating', id, 15));
        WHEN 'exchange rate' THEN RETURN format('SELECT spm.set_exchange_rate(%L, %L, %L, %s, until => %L)', split_part(pair, ' ', 1), split_part(pair, ' ', 2), day, CASE WHEN pair ~ '^JPY' THEN 0.0066 WHEN pair ~ 'JPY$' THEN 150 ELSE 1 END * (0.9 + 0.01 * storm.draw('rate', id, 30)),
            CASE WHEN storm.draw('until', id, 3) > 0 THEN day + 1 + storm.draw('days', id, 20) END) FROM storm.pick('pair', id, 'EUR USD', 'USD EUR', 'JPY USD', 'EUR JPY', 'USD JPY') AS pair;
        WHEN 'variable' THEN RETURN format('SELECT spm.set_variable(%L, %s, %s => %L, since => %L, until => %L)', storm.pick('variable', id, 'bonus', 'salary', 'multiplier'), storm.pick('value', id, '1.2', '0.8', '1111.11', '500'), storm.pick('whose', id, 'payee', '"position"', 'title'),
            CASE storm.pick('whose', id, 'payee', '"position"', 'title') WHEN 'payee' THEN a_payee WHEN 'title' THEN 'Seller' ELSE a_seat END, day, CASE WHEN storm.draw('until', id, 2) = 0 THEN day + 20 END);
        WHEN 'lookup' THEN RETURN format('SELECT spm.set_lookup(''product rates'', ''{%s}'', %s, %L)', storm.pick('cell', id, 'desk', 'lamp', 'sofa'), storm.pick('looked up', id, '0.7', '1.1', '2'), day);
        WHEN 'holiday' THEN RETURN format('SELECT spm.add_holiday(%L, %L, ''day off'')', of_calendar, day);

        WHEN 'seat' THEN RETURN format('SELECT spm.assign_position(%L, %L, %L%s)', a_seat, storm.pick('new payee', id, 'new1', 'new2', 'new3', a_payee), day, CASE storm.draw('second seat', id, 5) WHEN 0 THEN ', is_primary => false' WHEN 1 THEN format(', until => %L', day + 25) END);
        WHEN 'vacant' THEN RETURN format('SELECT spm.vacate_position(%L, %L)', a_seat, day);
        WHEN 'swap' THEN RETURN format('SELECT spm.vacate_position(%1$L, %3$L), spm.vacate_position(%2$L, %3$L); SELECT spm.assign_position(%1$L, %5$L, %3$L), spm.assign_position(%2$L, %4$L, %3$L)', a_seat, another, day, sitting_a, sitting_b)
            FROM (SELECT (SELECT y.payee_key FROM spm.position_assignment s JOIN spm.payee y USING (payee_id) JOIN spm.position p USING (position_id) WHERE p.position_key = a_seat AND s.span @> day - 1 ORDER BY 1 LIMIT 1) AS sitting_a,
                         (SELECT y.payee_key FROM spm.position_assignment s JOIN spm.payee y USING (payee_id) JOIN spm.position p USING (position_id) WHERE p.position_key = another AND s.span @> day - 1 ORDER BY 1 LIMIT 1) AS sitting_b) x WHERE a_seat <> another;
        WHEN 'manager' THEN RETURN format('SELECT spm.set_manager(%L, %L, %L, until => %L)', a_seat, storm.pick('under', id, 'l1', 'l2', 'd1', NULL, 's1'), day, CASE WHEN storm.draw('until', id, 3) = 0 THEN day + 30 END);
        WHEN 'title' THEN RETURN format('UPDATE spm.position SET title_id = (SELECT title_id FROM spm.title WHERE name = %L) WHERE position_key = %L', storm.pick('title', id, 'Seller', 'Partner', 'Lead'), storm.some('titled', id, 'spm.position', 'position_key', 'position_key ~ ''^s'''));
        WHEN 'newcomer' THEN RETURN format('SELECT spm.add_payee(''nobody'', ''Somebody''); SELECT spm.assign_position(%L, ''nobody'', %L)', a_seat, day);
        WHEN 'assignment' THEN RETURN format('SELECT spm.assign_plan(%L, %L, until => %L, %s => %L)', a_plan, day, CASE WHEN storm.draw('until', id, 2) = 0 THEN day + 45 END, storm.pick('assigned', id, 'payee', '"position"'), CASE storm.pick('assigned', id, 'payee', '"position"') WHEN 'payee' THEN a_payee ELSE a_seat END);
        WHEN 'version' THEN
            SELECT max(lower(v.span)) + 1 + storm.draw('sooner', id, 40), count(*) INTO since, n FROM spm.plan_version v JOIN spm.plan p USING (plan_id) WHERE p.name = a_plan;
            since := greatest(since, '2026-01-01');
            IF storm.draw('first of month', id, 2) = 0 THEN
                since := date_trunc('month', since + interval '1 month')::date;
            END IF;
            IF n > 3 OR since > '2026-06-20' THEN
                RETURN NULL;
            END IF;
            RETURN format('SELECT spm.new_plan_version(%1$L, %2$L); SELECT storm.another_version(%1$L, %3$s); SELECT spm.publish_plan(%1$L)', a_plan, since, id);
        WHEN 'retire' THEN RETURN format('SELECT spm.retire_plan(%L, %L)', a_plan, greatest(day, '2026-05-20'));

        WHEN 'rule' THEN RETURN format('SELECT spm.add_credit_rule(%L, %L, ''{%s,%s}'', ''{0.6,0.4}'', %L, priority => %s)', 'rule ' || id, format('account_key = ''a%s''', storm.draw('account', id, 6)), a_payee, storm.pick('with', id, 'l1', 's3', 'new2'), day, storm.pick('priority', id, '5', 'NULL')) WHERE a_payee NOT IN ('l1', 's3', 'new2');
        WHEN 'overlay' THEN RETURN format('SELECT spm.add_overlay_rule(%L, %L, ''{%s}'', ''{%s}'', %L)', 'rule ' || id, format('product_key = ''%s''', storm.pick('product', id, 'desk', 'lamp', 'sofa')), a_payee, storm.pick('over', id, '0.5', '1.5'), day);
        WHEN 'team' THEN RETURN format('SELECT spm.add_team_rule(%L, %L, %L, %s, parts => %L)', 'rule ' || id, format('account_key = ''a%s''', storm.draw('account', id, 6)), day, storm.pick('of', id, 'title => ''Seller''', 'manager => ''l1'''), storm.pick('parts', id, 'full', 'equal'));
        WHEN 'rule ends' THEN RETURN format('UPDATE spm.credit_rule SET span = daterange(lower(span), greatest(lower(span) + 1, %L)) WHERE name = %L', day, storm.some('a rule', id, 'spm.credit_rule', 'name'));
        WHEN 'rollup' THEN RETURN format('SELECT spm.set_rollup(%s, level => %s, "position" => %L, since => %L)', storm.pick('factor', id, '0', '0.75', '1'), storm.pick('level', id, '1', '2', 'NULL'), storm.pick('rolled up', id, 'l1', 'd1', NULL), day);
        WHEN 'rolldown' THEN RETURN format('SELECT spm.set_rolldown(%L, "position" => %L, since => %L, until => %L)', storm.pick('parts', id, 'full', 'equal'), storm.pick('from', id, 'l2', 'd1'), day, day + 40);
        WHEN 'manual credit' THEN RETURN format('WITH m AS (INSERT INTO spm.manual_credit (payee_id, event_date, amount, currency_code, type, quantity, cost, list_amount, event, reason, author)
                SELECT payee_id, %1$L, %2$s, ''USD'', ''adjustment'', 1, 0, %2$s, ''booking'', ''forgotten'', ''clerk'' FROM spm.payee WHERE payee_key = %3$L RETURNING manual_credit_id)
            INSERT INTO spm.manual_credit_decision (manual_credit_id, decision, decided_by) SELECT manual_credit_id, ''approved'', ''boss'' FROM m', day, storm.draw('by hand', id, 1500) - 300, a_payee);
        WHEN 'manual withdrawn' THEN RETURN 'SELECT spm.withdraw_manual_credit(' || storm.some('manual', id, 'spm.manual_credit m', 'manual_credit_id', 'NOT EXISTS (SELECT FROM spm.manual_credit_decision d WHERE d.manual_credit_id = m.manual_credit_id AND d.decision <> ''approved'')') || ', ''twice'')';
        WHEN 'adjustment' THEN
            IF storm.draw('waits', id, 4) = 0 THEN
                RETURN format('SELECT spm.add_adjustment(%L, %L, %s, ''USD'', ''speaker'', plan => %L)', a_payee, a_month, storm.draw('adjusted', id, 500) - 100, a_plan);
            END IF;
            RETURN format('INSERT INTO spm.adjustment (payee_id, period_id, plan_id, amount, currency_code, reason, recorded_by, approved_at, approved_by)
                SELECT y.payee_id, p.period_id, n.plan_id, %s, coalesce(n.currency_code, ''USD''), ''by hand'', ''clerk'', now(), ''boss'' FROM spm.payee y, spm.period p LEFT JOIN spm.plan n ON n.name = %L WHERE y.payee_key = %L AND p.name = %L',
                storm.draw('adjusted', id, 500) - 100, (SELECT p.name FROM spm.plan p JOIN spm.calendar k USING (calendar_id) WHERE p.name = a_plan AND k.name = of_calendar), a_payee, a_month);
        WHEN 'adjustment withdrawn' THEN RETURN 'SELECT spm.withdraw_adjustment(' || storm.some('adjusted', id, 'spm.adjustment', 'adjustment_id', 'withdrawn_at IS NULL') || ', ''twice'')';
        WHEN 'hold' THEN RETURN format(storm.pick('held', id, 'SELECT spm.hold(''disputed'', payee => %1$L, since => %3$L)', 'SELECT spm.hold(''disputed'', transaction_key => %2$L, source => ''orders'')', 'SELECT spm.hold(''disputed'', payee => %1$L, plan => %4$L)',
            'INSERT INTO spm.hold (payee_id, since, reason) SELECT payee_id, %3$L, ''disputed'' FROM spm.payee WHERE payee_key = %1$L'), a_payee, an_order, day, a_plan);
        WHEN 'release' THEN RETURN 'SELECT spm.release(' || storm.some('hold', id, 'spm.hold', 'hold_id', 'released_at IS NULL') || ', ''paid'')';
        WHEN 'holdback' THEN RETURN (SELECT format('SELECT spm.release_holdback(%L, %L, %L, ''done'')', p.name, r.name, storm.some('through', id, 'spm.period', 'name', format('spm._is_leaf(period_id) AND calendar_id = %s', p.calendar_id))) FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE r.kind = 'holdback' ORDER BY r.pay_rule_id LIMIT 1);
    END CASE;
END
$$;

-- Other options of the components that the draft of a plan has; another component, another rule.
CREATE FUNCTION storm.another_version(plan text, id bigint) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    kinds text[] := array(SELECT c.name FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE p.name = another_version.plan AND v.state = 'draft' ORDER BY component_no);
    kind text;
BEGIN
    IF storm.draw('only pay', id, 4) > 0 THEN
        PERFORM spm.drop_component(plan, k) FROM unnest(kinds) WITH ORDINALITY u(k, o) ORDER BY o DESC;
        IF storm.draw('one more', id, 2) = 0 THEN
            kinds := kinds || storm.pick('more', id, 'invoiced', 'tiers', 'groups', 'taken back', 'looked up');
        END IF;
        PERFORM storm.add_components(plan, k, id + o) FROM (SELECT k, min(o) AS o FROM unnest(kinds) WITH ORDINALITY u(k, o) GROUP BY k) d ORDER BY o;
    END IF;
    IF storm.draw('other rules', id, 2) = 0 THEN
        PERFORM spm.drop_pay_rule(plan, r.name) FROM spm.pay_rule r JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE p.name = another_version.plan AND v.state = 'draft' ORDER BY rule_no DESC;
        PERFORM storm.add_rules(plan, id);
    END IF;
END
$$;

-- An edit is done, or refused.
CREATE FUNCTION storm.execute(seq int, statement text) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE statement;
    INSERT INTO storm.log (seq, statement) VALUES (execute.seq, execute.statement);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    INSERT INTO storm.log (seq, statement, outcome) VALUES (execute.seq, execute.statement, SQLSTATE || ' ' || SQLERRM);
    RETURN false;
END
$$;
