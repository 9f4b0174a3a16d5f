/*
 * progress.h
 *	  How far a calculation has come, for other sessions to see.
 */
#ifndef SPM_PROGRESS_H
#define SPM_PROGRESS_H

/*
 * For loops over many rows: 'done' of the current phase.  Costs a few
 * nanoseconds, and nothing at all while no job is under way.
 */
extern void spm_progress_update(int64 done);

#endif
