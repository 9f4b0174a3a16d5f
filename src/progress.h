/*
 * progress.h
 *	  How far a job has come, for other sessions to see.
 *
 * A job begins and ends in SQL, with spm._begin_progress() and
 * spm._end_progress().  While none is under way these do nothing; none of
 * them fails, takes a lock or waits.
 */
#ifndef SPM_PROGRESS_H
#define SPM_PROGRESS_H

/* What the job does now, and of how much; a negative total is an unknown one. */
extern void spm_progress_phase(const char *phase, int64 total);

/* How much of it is done.  For loops over many rows: one store to memory. */
extern void spm_progress_update(int64 done);

#endif
