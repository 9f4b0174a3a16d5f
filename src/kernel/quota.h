/*
 * quota.h
 *	  Dividing a number among many within bounds, and down a tree, to the unit.
 *
 * Amounts are whole units (cents, mostly), from 0 to SPM_QUOTA_MAX.  Weights
 * are whole numbers of any common scale, whose sum is below 2^125.  Nothing is
 * ever rounded but the result, once.
 */
#ifndef SPMK_QUOTA_H
#define SPMK_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "solve.h"

#define SPM_QUOTA_MAX		INT64_C(1000000000000000000)
/* As an upper bound: there is none.  As a base, lower bound or weight of a node: not given. */
#define SPM_QUOTA_NONE		INT64_C(-1)

/* What a level assigns below it, in millionths of its own amount. */
#define SPM_QUOTA_WHOLE		INT64_C(1000000)

typedef unsigned __int128 SpmWeight;

#define SPM_QUOTA_NO_WEIGHT	(~(SpmWeight) 0)
#define SPM_QUOTA_MAX_WEIGHT ((SpmWeight) 1 << 125)

typedef enum SpmQuotaStatus
{
	SPM_QUOTA_OK,
	SPM_QUOTA_TOO_LITTLE,		/* the lower bounds add up to more */
	SPM_QUOTA_TOO_MUCH,			/* the upper bounds add up to less */
	SPM_QUOTA_WEIGHTLESS,		/* whoever could take it has no weight */
	SPM_QUOTA_TOO_BIG,			/* sums beyond SPM_QUOTA_MAX or SPM_QUOTA_MAX_WEIGHT */
	SPM_QUOTA_CIRCLE,			/* a node is above itself */
	SPM_QUOTA_UNEQUAL			/* an amount is not what is below it */
} SpmQuotaStatus;

/*
 * Who shares in a total: part i is bases[i] + lambda * weights[i], but not
 * below lowers[i] nor above uppers[i], with the one lambda that makes the parts
 * add up.  Proportional shares have bases of 0.
 */
typedef struct SpmQuotaGroup
{
	int			n;
	const int  *members;		/* i, as the arrays know them; NULL: 0 to n - 1 */
	const int64_t *bases;
	const SpmWeight *weights;
	const int64_t *lowers;
	const int64_t *uppers;
} SpmQuotaGroup;

/* Room to work in, for the largest group. */
typedef struct SpmQuotaRoom
{
	SpmWeight  *rests;			/* n */
	int		   *line;			/* 2 n */
} SpmQuotaRoom;

/*
 * A tree, and what is asked of its nodes.  Where a node above others has no
 * weight or base of its own, it is given those of the nodes below it.
 */
typedef struct SpmQuotaTree
{
	int			n;
	const int  *parents;		/* -1: a top */
	const int64_t *assigned;	/* what the nodes below a node add up to, in millionths of it */
	SpmWeight  *weights;
	int64_t    *bases;
	const int64_t *lowers;
	const int64_t *uppers;
} SpmQuotaTree;

/* The children of all nodes, one list after the other, and the order of levels. */
typedef struct SpmQuotaOrder
{
	int		   *first;			/* n + 2: where the children of a node begin; those of node n are the tops */
	int		   *children;		/* n */
	int		   *order;			/* n + 1: the nodes, n first, each after its parent */
} SpmQuotaOrder;

/* Where and why it did not work out. */
typedef struct SpmQuotaFault
{
	int			node;			/* n: above the tops */
	int64_t		below;			/* what the bounds below it come to */
	int64_t		limit;			/* what it was to be */
	bool		is_bound;		/* limit is its own bound, not its amount */
} SpmQuotaFault;

extern SpmQuotaStatus spmk_quota_allocate(int64_t total, const SpmQuotaGroup *group, int64_t *parts,
										  const SpmQuotaRoom *room, const SpmBreath *breath);
extern SpmQuotaStatus spmk_quota_order(int n, const int *parents, const SpmQuotaOrder *order, SpmQuotaFault *fault);
extern SpmQuotaStatus spmk_quota_cascade(int64_t total, const SpmQuotaTree *tree, const SpmQuotaOrder *order,
										 int64_t *least, int64_t *most, int64_t *amounts,
										 const SpmQuotaRoom *room, const SpmBreath *breath, SpmQuotaFault *fault);
extern SpmQuotaStatus spmk_quota_spread(const SpmQuotaTree *tree, const SpmQuotaOrder *order, const int64_t *amounts,
										int nparts, const SpmWeight *shares, const int *seasons, int64_t *parts,
										const SpmBreath *breath, SpmQuotaFault *fault);

#endif
