/*
 * progress.c
 *	  How far a job has come, for other sessions to see.
 *
 * Rows that a job writes are invisible until it commits, so this goes through
 * shared memory: a fixed number of slots, one for each job under way.  The
 * memory is found by its name and made by whoever comes first, so nothing has
 * to be preloaded: from 17 on in PostgreSQL's registry of dynamic segments,
 * before that in what the main segment keeps in reserve (as pg_prewarm does
 * when it was not preloaded); a few kilobytes either way.
 *
 * A slot has one writer, its owner.  Readers copy it and look whether it was
 * written meanwhile, so that nobody ever waits.  A job that ends, however it
 * ends, frees its slot in a callback; after a crash the server makes all
 * shared memory anew.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "progress.h"

#define SLOTS 32				/* jobs at a time in the whole server */
#define DEPTH_LIMIT 8			/* jobs within jobs */

typedef struct Slot
{
	pg_atomic_uint32 owner;		/* process that writes it, 0: free */
	pg_atomic_uint32 version;	/* odd while it is being written */
	pg_atomic_uint64 done;		/* written alone, at any time */
	Oid			database;		/* InvalidOid: nothing to be shown */
	int64		total;			/* -1: unknown */
	int64		expected;		/* microseconds that the job may take, -1: unknown */
	TimestampTz started;
	TimestampTz phase_started;
	char		job[32];
	char		period[NAMEDATALEN];
	char		phase[NAMEDATALEN];
} Slot;

typedef struct Board
{
	Slot		slots[SLOTS];
} Board;

/* Another layout needs another name: sessions of two releases may run beside each other. */
#define BOARD_NAME "spm progress 1"

static Board *board;
static bool is_unavailable;		/* tried in vain */
static Slot *mine;				/* of the job of this session */
static int	depth;				/* jobs within it, itself included */
static int	nest_levels[DEPTH_LIMIT];	/* subtransactions that they began in */

PG_FUNCTION_INFO_V1(spm_begin_progress);
PG_FUNCTION_INFO_V1(spm_progress);
PG_FUNCTION_INFO_V1(spm_end_progress);
PG_FUNCTION_INFO_V1(spm_running_job);

static void
init_board(void *pointer)
{
	Board	   *new = (Board *) pointer;

	memset(new, 0, sizeof(Board));
	for (int i = 0; i < SLOTS; i++)
	{
		pg_atomic_init_u32(&new->slots[i].owner, 0);
		pg_atomic_init_u32(&new->slots[i].version, 0);
		pg_atomic_init_u64(&new->slots[i].done, 0);
	}
}

/* The slots; an error when the server has no memory left for them. */
static void
attach(void)
{
	bool		found;

	if (board)
		return;
#ifdef SPM_NAMED_SEGMENT
	board = SPM_NAMED_SEGMENT(BOARD_NAME, sizeof(Board), init_board, &found);
#else
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	board = ShmemInitStruct(BOARD_NAME, sizeof(Board), &found);
	if (!found)
		init_board(board);
	LWLockRelease(AddinShmemInitLock);
#endif
}

/* The same for a job, which goes on without. */
static void
try_attach(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	if (board || is_unavailable || IsInParallelMode())
		return;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		attach();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		board = NULL;
		is_unavailable = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

/* Between these two nothing may fail or be interrupted: readers would look at an odd version. */
static void
start_writing(Slot *slot)
{
	pg_atomic_write_u32(&slot->version, pg_atomic_read_u32(&slot->version) + 1);
	pg_write_barrier();
}

static void
stop_writing(Slot *slot)
{
	pg_write_barrier();
	pg_atomic_write_u32(&slot->version, pg_atomic_read_u32(&slot->version) + 1);
}

static void
set_name(char *name, size_t size, const char *value)
{
	size_t		length = value ? pg_mbcliplen(value, strlen(value), size - 1) : 0;

	if (length > 0)
		memcpy(name, value, length);
	name[length] = '\0';
}

static void
free_slot(void)
{
	Slot	   *slot = mine;

	depth = 0;
	if (!slot)
		return;
	mine = NULL;
	start_writing(slot);
	slot->database = InvalidOid;
	stop_writing(slot);
	pg_atomic_write_u32(&slot->owner, 0);
}

/* A crash of this process alone cannot leave a slot: it takes the server's memory with it. */
static void
at_exit(int code, Datum argument)
{
	free_slot();
}

static void
at_transaction_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		free_slot();
}

/* Jobs that began in a subtransaction go with it, or become its parent's. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *argument)
{
	int			level = GetCurrentTransactionNestLevel();

	if (!mine)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (depth > 0 && nest_levels[depth - 1] >= level)
			depth--;
		if (depth == 0)
			free_slot();
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = 0; i < depth; i++)
			nest_levels[i] = Min(nest_levels[i], level - 1);
}

static Slot *
take_slot(void)
{
	static bool is_registered = false;

	try_attach();
	if (!board)
		return NULL;
	if (!is_registered)
	{
		before_shmem_exit(at_exit, (Datum) 0);
		RegisterXactCallback(at_transaction_end, NULL);
		RegisterSubXactCallback(at_subtransaction_end, NULL);
		is_registered = true;
	}
	for (int i = 0; i < SLOTS; i++)
	{
		uint32		nobody = 0;

		if (pg_atomic_compare_exchange_u32(&board->slots[i].owner, &nobody, (uint32) MyProcPid))
			return &board->slots[i];
	}
	return NULL;
}

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

/*
 * spm._begin_progress(job text, period text, expected interval)
 *
 * Within another job only the period changes: a reader asks what was called.
 */
Datum
spm_begin_progress(PG_FUNCTION_ARGS)
{
	char	   *job = text_argument(fcinfo, 0);
	char	   *period = text_argument(fcinfo, 1);
	Interval   *expected = PG_ARGISNULL(2) ? NULL : PG_GETARG_INTERVAL_P(2);
	TimestampTz now = GetCurrentTimestamp();

	if (depth >= DEPTH_LIMIT)
		PG_RETURN_VOID();
	if (!mine)
	{
		depth = 0;
		mine = take_slot();
		if (!mine)
			PG_RETURN_VOID();
	}
	start_writing(mine);
	set_name(mine->period, sizeof(mine->period), period);
	mine->phase[0] = '\0';
	pg_atomic_write_u64(&mine->done, 0);
	mine->total = -1;
	mine->phase_started = now;
	if (depth == 0)
	{
		set_name(mine->job, sizeof(mine->job), job);
		/* months and days do not come from a difference of two instants of one run */
		mine->expected = expected ? expected->time + expected->day * USECS_PER_DAY : -1;
		mine->started = now;
		mine->database = MyDatabaseId;
	}
	stop_writing(mine);
	nest_levels[depth++] = GetCurrentTransactionNestLevel();
	PG_RETURN_VOID();
}

/* spm._end_progress() */
Datum
spm_end_progress(PG_FUNCTION_ARGS)
{
	if (depth <= 1)
		free_slot();
	else
		depth--;
	PG_RETURN_VOID();
}

void
spm_progress_phase(const char *phase, int64 total)
{
	if (!mine)
		return;
	start_writing(mine);
	if (strncmp(mine->phase, phase, sizeof(mine->phase) - 1) != 0)
	{
		set_name(mine->phase, sizeof(mine->phase), phase);
		mine->phase_started = GetCurrentTimestamp();
		pg_atomic_write_u64(&mine->done, 0);
	}
	mine->total = total;
	stop_writing(mine);
}

void
spm_progress_update(int64 done)
{
	if (mine)
		pg_atomic_write_u64(&mine->done, (uint64) done);
}

/* spm._progress(phase text, done bigint, total bigint) */
Datum
spm_progress(PG_FUNCTION_ARGS)
{
	char	   *phase = text_argument(fcinfo, 0);

	if (mine && phase)
		spm_progress_phase(phase, PG_ARGISNULL(2) ? -1 : PG_GETARG_INT64(2));
	if (!PG_ARGISNULL(1))
		spm_progress_update(PG_GETARG_INT64(1));
	PG_RETURN_VOID();
}

/* A copy of a slot that nobody wrote to meanwhile; false if that is not to be had. */
static bool
copy_slot(Slot *slot, Slot *copy)
{
	for (int i = 0; i < 1000; i++)
	{
		uint32		before = pg_atomic_read_u32(&slot->version);

		pg_read_barrier();
		*copy = *slot;
		pg_read_barrier();
		if (before % 2 == 0 && pg_atomic_read_u32(&slot->version) == before)
			return true;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* Rights on the view decide, and everybody may see what runs under a role of theirs. */
static bool
may_see(Oid view, PGPROC *process)
{
	return (OidIsValid(view) && pg_class_aclcheck(view, GetUserId(), ACL_SELECT) == ACLCHECK_OK) ||
		has_privs_of_role(GetUserId(), process->roleId);
}

/* spm.running_job() */
Datum
spm_running_job(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			schema = get_namespace_oid("spm", true);
	Oid			view = OidIsValid(schema) ? get_relname_relid("progress", schema) : InvalidOid;

	attach();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < SLOTS; i++)
	{
		uint32		owner = pg_atomic_read_u32(&board->slots[i].owner);
		Slot		slot;
		PGPROC	   *process;
		Datum		values[9];
		bool		nulls[9] = {0};
		int64		done;

		if (owner == 0 || !copy_slot(&board->slots[i], &slot) || slot.database != MyDatabaseId)
			continue;
		process = BackendPidGetProc((int) owner);
		if (!process || process->databaseId != MyDatabaseId || !may_see(view, process))
			continue;
		done = (int64) pg_atomic_read_u64(&slot.done);
		values[0] = Int32GetDatum((int32) owner);
		values[1] = CStringGetTextDatum(slot.job);
		values[2] = CStringGetTextDatum(slot.period);
		nulls[2] = slot.period[0] == '\0';
		values[3] = CStringGetTextDatum(slot.phase);
		nulls[3] = slot.phase[0] == '\0';
		values[4] = Int64GetDatum(done);
		values[5] = Int64GetDatum(slot.total);
		nulls[5] = slot.total < 0;
		values[6] = TimestampTzGetDatum(slot.started);
		values[7] = TimestampTzGetDatum(slot.phase_started);
		values[8] = TimestampTzGetDatum(slot.started + slot.expected);
		nulls[8] = slot.expected < 0;
		tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
	}
	return (Datum) 0;
}
