/*
 * storm/check.sql: whether the ledger says what calculating every period anew
 * makes it say; and the storm itself.
 */

-- The ledger without what differs from run to run: keys of its rows, and runs.
CREATE FUNCTION storm.ledger() RETURNS TABLE (relation text, line jsonb)
    LANGUAGE sql STABLE AS
$$
    SELECT 'credit', to_jsonb(c) - '{credit_id,run_id,reverses_id}'::text[] || jsonb_build_object('reverses', r.posting_id)
    FROM spm.credit c LEFT JOIN spm.credit r ON r.credit_id = c.reverses_id AND r.period_id = c.period_id
    UNION ALL
    SELECT 'measurement', to_jsonb(m) - '{measurement_id,run_id,reverses_id,schedule_id}'::text[] || jsonb_build_object('reverses', r.posting_id, 'schedule', s.definition)
    FROM spm.measurement m LEFT JOIN spm.measurement r ON r.measurement_id = m.reverses_id LEFT JOIN spm.schedule s ON s.schedule_id = m.schedule_id
    UNION ALL
    SELECT 'earning', to_jsonb(e) - '{earning_id,run_id,reverses_id,schedule_id,credit_id}'::text[]
        || jsonb_build_object('reverses', r.posting_id, 'schedule', s.definition, 'credit', concat_ws('/', c.posting_id, c.source, c.transaction_key, c.line, c.kind, c.event, c.owner_key, c.origin_position_id, c.rule, c.part_no, c.reverses_id IS NOT NULL))
    FROM spm.earning e LEFT JOIN spm.earning r ON r.earning_id = e.reverses_id AND r.period_id = e.period_id LEFT JOIN spm.schedule s ON s.schedule_id = e.schedule_id
    LEFT JOIN spm.credit c ON c.credit_id = e.credit_id AND c.period_id = e.credit_period_id
    UNION ALL
    SELECT 'payout', to_jsonb(o) - '{payout_id,run_id}'::text[] FROM spm.payout o
    UNION ALL
    SELECT 'balance', to_jsonb(b) - '{balance_id,run_id}'::text[] FROM spm.balance b
    UNION ALL
    SELECT 'uncredited', to_jsonb(u) - 'run_id' FROM spm.uncredited u
$$;

-- A row in names instead of keys.
CREATE FUNCTION storm.told(line jsonb) RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT concat_ws(' ', 'period ' || (SELECT name FROM spm.period WHERE period_id = (line ->> 'period_id')::int), 'paid by ' || (SELECT p.name || ' ' || o.state FROM spm.posting o JOIN spm.period p USING (period_id) WHERE posting_id = (line ->> 'posting_id')::int),
        (SELECT payee_key FROM spm.payee WHERE payee_id = (line ->> 'payee_id')::int), (SELECT position_key FROM spm.position WHERE position_id = (line ->> 'position_id')::int),
        (SELECT p.name || ' v' || v.version_no || ' ' || c.name FROM spm.component c JOIN spm.plan_version v USING (plan_version_id) JOIN spm.plan p USING (plan_id) WHERE component_id = (line ->> 'component_id')::int), jsonb_strip_nulls(line))
$$;

CREATE FUNCTION storm.digest(posting_id int) RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT concat_ws(' ', (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.credit r WHERE r.posting_id = digest.posting_id), (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.measurement r WHERE r.posting_id = digest.posting_id),
        (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.earning r WHERE r.posting_id = digest.posting_id), (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.payout r WHERE r.posting_id = digest.posting_id),
        (SELECT sum(hashtextextended(r::text, 0)::numeric) FROM spm.balance r WHERE r.posting_id = digest.posting_id))
$$;

-- Calculates every calculated period, in order, whether its input differs or not; is_forced: posted ones too.
-- Left out is what waits for an earlier period that was opened again.
CREATE FUNCTION storm.calculate(is_forced boolean) RETURNS bigint
    LANGUAGE plpgsql AS
$$
DECLARE
    p record;
    n bigint;
    changed bigint := 0;
BEGIN
    UPDATE spm.period_watermark w SET watermark = 'looked at anew' FROM spm.period q WHERE q.period_id = w.period_id AND (is_forced OR q.state <> 'posted');
    FOR p IN
        SELECT q.name, k.name AS calendar FROM spm.period q JOIN spm.calendar k USING (calendar_id)
        WHERE q.state = 'calculated' AND (EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = q.period_id)
            OR NOT EXISTS (SELECT FROM spm.period e WHERE e.calendar_id = q.calendar_id AND e.state = 'open' AND e.span << q.span AND spm._is_leaf(e.period_id)))
        ORDER BY k.name, q.span
    LOOP
        CALL spm.calculate(p.name, p.calendar);
        SELECT changed_count INTO n FROM spm.run ORDER BY run_id DESC LIMIT 1;
        changed := changed + n;
    END LOOP;
    RETURN changed;
END
$$;

-- What is wrong after a refresh; everything is as before afterwards.
CREATE FUNCTION storm.fault(is_forced boolean) RETURNS SETOF text
    LANGUAGE plpgsql AS
$$
DECLARE
    before bigint;
    changed bigint;
    faults text[];
    broken text;
BEGIN
    RETURN QUERY SELECT 'a mark waits: ' || c::text FROM spm.change c;
    RETURN QUERY SELECT 'a posted row has been changed in posting ' || k.posting_id FROM storm.kept k WHERE k.digest <> storm.digest(k.posting_id);
    RETURN QUERY SELECT 'does not add up: ' || r::text FROM spm.reconciliation r JOIN spm.posting o USING (posting_id) JOIN spm.period p ON p.period_id = o.period_id
        WHERE NOT is_reconciled AND p.state = 'calculated' AND EXISTS (SELECT FROM spm.period_watermark w WHERE w.period_id = p.period_id) LIMIT 3;
    BEGIN
        CREATE TEMPORARY TABLE ledger_before ON COMMIT DROP AS SELECT * FROM storm.ledger();
        changed := storm.calculate(is_forced);
        CREATE TEMPORARY TABLE ledger_after ON COMMIT DROP AS SELECT * FROM storm.ledger();
        SELECT array_agg(x.side || ' ' || x.relation || ': ' || storm.told(x.line) ORDER BY position(x.relation IN 'uncredited credit measurement earning payout balance'), x.line::text) INTO faults
        FROM (SELECT 'refreshed only' AS side, * FROM (SELECT * FROM pg_temp.ledger_before EXCEPT ALL SELECT * FROM pg_temp.ledger_after) a
              UNION ALL SELECT 'calculated only', * FROM (SELECT * FROM pg_temp.ledger_after EXCEPT ALL SELECT * FROM pg_temp.ledger_before) b) x;
        RAISE EXCEPTION SQLSTATE 'STORM';
    EXCEPTION WHEN SQLSTATE 'STORM' THEN NULL;
        WHEN OTHERS THEN broken := SQLSTATE || ' ' || SQLERRM;
    END;
    IF broken IS NOT NULL THEN
        RETURN NEXT 'refreshed, but not to be calculated: ' || broken;
    ELSIF changed <> 0 OR faults IS NOT NULL THEN
        RETURN NEXT format('%s rows are changed by calculating, %s lines differ', changed, coalesce(cardinality(faults), 0));
        RETURN QUERY SELECT unnest(faults[:6]);
    END IF;
END
$$;

-- Why calculating does not go; NULL: it does.
CREATE FUNCTION storm.refusal() RETURNS text
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM storm.calculate(true);
    RAISE EXCEPTION SQLSTATE 'STORM';
EXCEPTION WHEN SQLSTATE 'STORM' THEN RETURN NULL;
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- A period is calculated, posted or opened again, as the drawn number has it.
CREATE FUNCTION storm.step(seq int, id bigint) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    of_calendar int := (SELECT calendar_id FROM spm.calendar WHERE name = storm.pick('calendar', id, 'company', 'company', 'retail'));
    first_open spm.period := (SELECT p FROM spm.period p WHERE p.calendar_id = of_calendar AND p.state = 'open' AND spm._is_leaf(p.period_id) ORDER BY p.span LIMIT 1);
    first_draft spm.period := (SELECT p FROM spm.period p WHERE p.calendar_id = of_calendar AND p.state <> 'posted' AND spm._is_leaf(p.period_id) ORDER BY p.span LIMIT 1);
    last_posted spm.period := (SELECT p FROM spm.period p WHERE p.calendar_id = of_calendar AND p.state = 'posted' AND spm._is_leaf(p.period_id) ORDER BY p.span DESC LIMIT 1);
    drafts int := (SELECT count(*) FROM spm.period p WHERE p.calendar_id = of_calendar AND p.state = 'calculated');
    action text := storm.pick('action', id, 'calculate', 'calculate', 'post', 'post', 'reopen', 'again');
BEGIN
    IF action = 'post' AND drafts >= 2 AND first_draft.state = 'calculated' THEN
        -- somebody may post without looking at what waits; but not what is known to be stale
        IF NOT storm.execute(seq, format('CALL spm.post(%L)', first_draft.name)) THEN
            PERFORM storm.execute(seq, 'CALL spm.refresh()'), storm.execute(seq, format('CALL spm.post(%L)', first_draft.name));
        END IF;
        INSERT INTO storm.kept SELECT posting_id, storm.digest(posting_id) FROM spm.posting WHERE state = 'posted' ON CONFLICT DO NOTHING;
    ELSIF action = 'reopen' AND last_posted.period_id IS NOT NULL AND first_draft.state = 'calculated' AND storm.draw('reopen', id, 2) = 0 THEN
        PERFORM storm.execute(seq, format('SELECT spm.reopen_period(%L, ''wrong'')', last_posted.name));
    ELSIF action = 'again' AND first_draft.state = 'calculated' THEN
        PERFORM storm.execute(seq, format('CALL spm.calculate(%L)', first_draft.name));
    ELSIF first_open.period_id IS NOT NULL AND (drafts < 3 OR first_open.span << (SELECT p.span FROM spm.period p WHERE p.calendar_id = of_calendar AND p.state = 'calculated' ORDER BY p.span DESC LIMIT 1)) THEN
        PERFORM storm.execute(seq, format('CALL spm.calculate(%L)', first_open.name));
    END IF;
END
$$;

-- Refreshes, once or twice; why not, if it does not go.
CREATE FUNCTION storm.refresh(seq int, times int, calendar text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql AS
$$
BEGIN
    FOR i IN 1 .. times LOOP
        INSERT INTO storm.log (seq, statement) VALUES (refresh.seq, format('CALL spm.refresh(%s)', quote_literal(refresh.calendar)));
        CALL spm.refresh(refresh.calendar);
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    INSERT INTO storm.log (seq, statement, outcome) VALUES (refresh.seq, format('CALL spm.refresh(%s)', quote_literal(refresh.calendar)), SQLSTATE || ' ' || SQLERRM);
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- Sequences of edits, transactions and refreshes; what is found is in storm.fault.
CREATE PROCEDURE storm.run(first int, last int)
    LANGUAGE plpgsql AS
$$
DECLARE
    id bigint;
    text text;
    refused text;
    refusal text;
    marks bigint;
    found int;
BEGIN
    FOR this IN run.first .. run.last LOOP
        FOR t IN 1 .. 1 + storm.draw('transactions', this, 4) LOOP
            id := this * 1000 + t * 10;
            FOR e IN 1 .. 1 + storm.draw('edits', id, 3) LOOP
                text := storm.statement(storm.kind_of(id + e, storm.draw('narrow', this * 4 + t, 3) > 0), id + e);
                IF text IS NOT NULL THEN
                    PERFORM storm.execute(this, text);
                END IF;
            END LOOP;
            -- sometimes one transaction with what refreshes it
            IF storm.draw('committed', id, 4) > 0 THEN
                INSERT INTO storm.log (seq, statement) VALUES (this, 'COMMIT');
                COMMIT;
            END IF;
            PERFORM storm.refresh(this, 1 - sign(storm.draw('refreshed', id, 5) - 3)::int, CASE storm.draw('one calendar', id, 6) WHEN 0 THEN 'company' WHEN 1 THEN 'retail' END);
            COMMIT;
            IF storm.draw('step', id, 3) = 0 THEN
                PERFORM storm.step(this, id);
                COMMIT;
            END IF;
        END LOOP;
        -- an order that nobody can use: the refresh fails, and its mark stays
        IF storm.draw('unusable', this, 10) = 0 THEN
            PERFORM storm.refresh(this, 1);
            PERFORM storm.execute(this, format('INSERT INTO storm.orders (order_id, ordered_on, owner, product, account, quantity, amount, cost, currency, kind) VALUES (''broken'', %L, ''s1'', ''desk'', ''a5'', 1, 1, 1, ''GBP'', ''booking'')', date '2026-01-01' + storm.draw('broken', this, 60)));
            COMMIT;
            marks := (SELECT count(*) FROM spm.change);
            refused := storm.refresh(this, 1);
            refusal := storm.refusal();
            INSERT INTO storm.fault SELECT this, format('refresh says %s, calculate %s', refused, refusal) WHERE left(refused, 5) IS DISTINCT FROM left(refusal, 5);
            INSERT INTO storm.fault SELECT this, 'marks are gone after a failure' WHERE refused IS NOT NULL AND marks <> (SELECT count(*) FROM spm.change);
            PERFORM storm.execute(this, 'DELETE FROM storm.orders WHERE order_id = ''broken''');
            COMMIT;
        END IF;
        refused := storm.refresh(this, 1);
        COMMIT;
        IF refused IS NULL THEN
            INSERT INTO storm.fault SELECT this, f FROM storm.fault(storm.draw('forced', this, 3) = 0) f;
        ELSE
            refusal := storm.refusal();
            INSERT INTO storm.fault SELECT this, format('refresh says %s, calculate %s', refused, refusal) WHERE left(refused, 5) IS DISTINCT FROM left(refusal, 5);
            UPDATE storm.log SET outcome = concat_ws(', as calculate: ', outcome, refusal) WHERE step = (SELECT max(step) FROM storm.log);
        END IF;
        -- what was found is not to be found again
        IF EXISTS (SELECT FROM storm.fault f WHERE f.seq = this) THEN
            BEGIN
                PERFORM storm.calculate(true);
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END IF;
        COMMIT;
    END LOOP;
END
$$;

-- Edits without a refresh; with everything declared changed, what follows takes its time.
CREATE PROCEDURE storm.edit(seq int, is_wide boolean)
    LANGUAGE plpgsql AS
$$
DECLARE
    text text;
BEGIN
    FOR i IN 1 .. 3 LOOP
        text := storm.statement(storm.kind_of(seq * 1000 + i, NOT is_wide), seq * 1000 + i);
        IF text IS NOT NULL THEN
            PERFORM storm.execute(seq, text);
        END IF;
    END LOOP;
    IF is_wide THEN
        PERFORM storm.execute(seq, 'SELECT spm.declare_change(''orders'')');
    END IF;
END
$$;
