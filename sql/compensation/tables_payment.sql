/*
 * compensation/tables_payment.sql: payout -> payment.  What is posted is
 * gathered into batches, approved by somebody else, and paid: once.
 */

CREATE TABLE spm.payment_currency (
    payment_currency_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payee_id int NOT NULL REFERENCES spm.payee,
    span daterange NOT NULL CHECK (NOT isempty(span)),
    currency_code text NOT NULL REFERENCES spm.currency,
    rate_on text NOT NULL DEFAULT 'payment' CHECK (rate_on IN ('payment', 'booking', 'average', 'period end', 'fixed')),
    rate_type text NOT NULL DEFAULT 'spot' CHECK (rate_type <> ''),
    quote text NOT NULL DEFAULT 'direct' CHECK (quote IN ('direct', 'inverse', 'base')),
    base_currency_code text REFERENCES spm.currency,
    round_at text NOT NULL DEFAULT 'payment' CHECK (round_at IN ('payment', 'payout', 'deal')),
    rounding text NOT NULL DEFAULT 'half_up'
        CHECK (rounding IN ('half_up', 'half_even', 'half_down', 'up', 'down', 'floor', 'ceiling')),
    CONSTRAINT payment_currency_base CHECK ((quote = 'base') = (base_currency_code IS NOT NULL)),
    CONSTRAINT payment_currency_overlap EXCLUDE USING gist (payee_id WITH =, span WITH &&)
);
CREATE INDEX payment_currency_payee ON spm.payment_currency (payee_id);
CREATE INDEX payment_currency_currency ON spm.payment_currency (currency_code);
CREATE INDEX payment_currency_base_currency ON spm.payment_currency (base_currency_code);
COMMENT ON TABLE spm.payment_currency IS 'In which currency a payee is paid, and at which rate what the plan pays becomes that. Without a row: in the currency of the plan.';
COMMENT ON COLUMN spm.payment_currency.payment_currency_id IS 'Key.';
COMMENT ON COLUMN spm.payment_currency.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payment_currency.span IS 'Days of payment; end exclusive.';
COMMENT ON COLUMN spm.payment_currency.currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm.payment_currency.rate_on IS 'Day of the rate. payment: that of the payment; booking: that of each deal; average: all days of the period in which it was earned; period end: its last day; fixed: its first day, for rates that are set for a year.';
COMMENT ON COLUMN spm.payment_currency.rate_type IS 'Type of the rates: spot, average, budget ...';
COMMENT ON COLUMN spm.payment_currency.quote IS 'direct: times the rate from the plan''s currency to the payment''s; inverse: divided by the rate the other way round; base: times what one unit of the one is worth in a third currency, divided by what one of the other is.';
COMMENT ON COLUMN spm.payment_currency.base_currency_code IS 'Quote base: that third currency.';
COMMENT ON COLUMN spm.payment_currency.round_at IS 'What is rounded: payment, each payout, or each deal.';
COMMENT ON COLUMN spm.payment_currency.rounding IS 'Rounding mode, to the digits of the currency.';

CREATE TABLE spm.payment_batch (
    payment_batch_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id int NOT NULL REFERENCES spm.period,
    pay_on date NOT NULL CHECK (isfinite(pay_on)),
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'paid', 'rejected', 'withdrawn')),
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    proposed_by text NOT NULL DEFAULT session_user,
    approved_at timestamptz,
    approved_by text,
    paid_on date CHECK (isfinite(paid_on)),
    reference text CHECK (reference <> ''),
    reason text CHECK (reason <> ''),
    CONSTRAINT payment_batch_approved CHECK ((approved_by IS NULL) = (approved_at IS NULL)
        AND (state NOT IN ('approved', 'paid') OR approved_by <> proposed_by AND approved_by IS NOT NULL)),
    CONSTRAINT payment_batch_paid CHECK ((state = 'paid') = (paid_on IS NOT NULL) AND (state = 'paid') = (reference IS NOT NULL)),
    CONSTRAINT payment_batch_reason CHECK ((state IN ('rejected', 'withdrawn')) = (reason IS NOT NULL))
);
CREATE INDEX payment_batch_period ON spm.payment_batch (period_id);
COMMENT ON TABLE spm.payment_batch IS 'What is paid together: proposed, approved by another login, paid; or rejected or withdrawn, and its payouts are free again.';
COMMENT ON COLUMN spm.payment_batch.payment_batch_id IS 'Key.';
COMMENT ON COLUMN spm.payment_batch.period_id IS 'Period up to which posted payouts were gathered.';
COMMENT ON COLUMN spm.payment_batch.pay_on IS 'Day of the payment as planned: it decides on currency and rates.';
COMMENT ON COLUMN spm.payment_batch.state IS 'proposed, approved, paid, rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_batch.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN spm.payment_batch.proposed_by IS 'Login that proposed it.';
COMMENT ON COLUMN spm.payment_batch.approved_at IS 'When it was approved.';
COMMENT ON COLUMN spm.payment_batch.approved_by IS 'Login that approved it: never the one that proposed.';
COMMENT ON COLUMN spm.payment_batch.paid_on IS 'Day on which it was paid.';
COMMENT ON COLUMN spm.payment_batch.reference IS 'Reference of the payment at the bank or in payroll.';
COMMENT ON COLUMN spm.payment_batch.reason IS 'Why it was rejected or withdrawn.';

CREATE TABLE spm.payment_event (
    payment_event_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_batch_id int NOT NULL REFERENCES spm.payment_batch,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE INDEX payment_event_batch ON spm.payment_event (payment_batch_id);
COMMENT ON TABLE spm.payment_event IS 'Every change of a batch''s state. Never changed.';
COMMENT ON COLUMN spm.payment_event.payment_event_id IS 'Key, in order of time.';
COMMENT ON COLUMN spm.payment_event.payment_batch_id IS 'Batch that changed.';
COMMENT ON COLUMN spm.payment_event.from_state IS 'State before.';
COMMENT ON COLUMN spm.payment_event.to_state IS 'State after.';
COMMENT ON COLUMN spm.payment_event.reason IS 'Why, where a batch is rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_event.recorded_at IS 'When.';
COMMENT ON COLUMN spm.payment_event.recorded_by IS 'Login that did it.';

CREATE TABLE spm.payment (
    payment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_batch_id int NOT NULL REFERENCES spm.payment_batch,
    payee_id int NOT NULL REFERENCES spm.payee,
    currency_code text NOT NULL REFERENCES spm.currency,
    amount numeric NOT NULL,
    UNIQUE (payment_batch_id, payee_id, currency_code)
);
CREATE INDEX payment_payee ON spm.payment (payee_id);
CREATE INDEX payment_currency_code ON spm.payment (currency_code);
COMMENT ON TABLE spm.payment IS 'One row per batch, payee and currency: what is transferred.';
COMMENT ON COLUMN spm.payment.payment_id IS 'Key.';
COMMENT ON COLUMN spm.payment.payment_batch_id IS 'Batch.';
COMMENT ON COLUMN spm.payment.payee_id IS 'Payee.';
COMMENT ON COLUMN spm.payment.currency_code IS 'Currency of the payment.';
COMMENT ON COLUMN spm.payment.amount IS 'Amount: the sum of its items.';

CREATE TABLE spm.payment_item (
    payment_item_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id bigint NOT NULL REFERENCES spm.payment,
    payout_id bigint NOT NULL REFERENCES spm.payout,
    part_no int NOT NULL CHECK (part_no > 0),
    amount numeric NOT NULL,
    currency_code text NOT NULL REFERENCES spm.currency,
    exchange_rate numeric NOT NULL CHECK (exchange_rate > 0),
    exchange_divisor numeric NOT NULL CHECK (exchange_divisor > 0),
    paid_amount numeric NOT NULL,
    is_live boolean NOT NULL DEFAULT true
);
CREATE INDEX payment_item_payment ON spm.payment_item (payment_id);
CREATE INDEX payment_item_payout ON spm.payment_item (payout_id);
CREATE INDEX payment_item_currency ON spm.payment_item (currency_code);
CREATE UNIQUE INDEX payment_item_live ON spm.payment_item (payout_id, part_no) WHERE is_live;
COMMENT ON TABLE spm.payment_item IS 'Which payouts a payment pays, at which rate: one row per payout and rate. A payout is in one batch at most that is not rejected or withdrawn.';
COMMENT ON COLUMN spm.payment_item.payment_item_id IS 'Key.';
COMMENT ON COLUMN spm.payment_item.payment_id IS 'Payment.';
COMMENT ON COLUMN spm.payment_item.payout_id IS 'Payout.';
COMMENT ON COLUMN spm.payment_item.part_no IS '1, or more where deals of a payout have rates of their own.';
COMMENT ON COLUMN spm.payment_item.amount IS 'What of the payout, in the currency of the plan; the parts add up to it.';
COMMENT ON COLUMN spm.payment_item.currency_code IS 'Currency of the plan.';
COMMENT ON COLUMN spm.payment_item.exchange_rate IS 'Times this ...';
COMMENT ON COLUMN spm.payment_item.exchange_divisor IS '... and divided by this: rates are kept as they were set, so that nothing is lost.';
COMMENT ON COLUMN spm.payment_item.paid_amount IS 'What it is in the currency of the payment, rounded so that the items add up to the payment.';
COMMENT ON COLUMN spm.payment_item.is_live IS 'Whether it counts; false once its batch is rejected or withdrawn.';

CREATE TABLE spm.gl_account (
    gl_account_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('expense', 'waiting', 'payable', 'cash', 'held', 'advance', 'clearing', 'rounding',
                                             'contract cost', 'amortization', 'impairment')),
    plan_id int REFERENCES spm.plan,
    component_name text NOT NULL DEFAULT '',
    span daterange NOT NULL CHECK (NOT isempty(span)),
    account_code text NOT NULL CHECK (account_code <> ''),
    CONSTRAINT gl_account_overlap EXCLUDE USING gist (purpose WITH =, coalesce(plan_id, 0) WITH =, component_name WITH =, span WITH &&)
);
CREATE INDEX gl_account_plan ON spm.gl_account (plan_id);
COMMENT ON TABLE spm.gl_account IS 'Accounts of the general ledger by purpose. What is set for a plan or component goes before what is set for all.';
COMMENT ON COLUMN spm.gl_account.gl_account_id IS 'Key.';
COMMENT ON COLUMN spm.gl_account.purpose IS 'expense: pay; waiting: accrued, not yet approved; payable: approved, not yet paid; cash; held: kept back; advance: draws to be recovered; clearing: between currencies; rounding; contract cost: the asset; amortization, impairment: its expense.';
COMMENT ON COLUMN spm.gl_account.plan_id IS 'Plan. NULL: all.';
COMMENT ON COLUMN spm.gl_account.component_name IS 'Component, by name. Empty: all.';
COMMENT ON COLUMN spm.gl_account.span IS 'Days of the entry; end exclusive.';
COMMENT ON COLUMN spm.gl_account.account_code IS 'Account.';

SELECT pg_catalog.pg_extension_config_dump('spm.payment_currency', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_currency_payment_currency_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_batch', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_batch_payment_batch_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_event', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_event_payment_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_payment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_item', '');
SELECT pg_catalog.pg_extension_config_dump('spm.payment_item_payment_item_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('spm.gl_account', '');
SELECT pg_catalog.pg_extension_config_dump('spm.gl_account_gl_account_id_seq', '');
