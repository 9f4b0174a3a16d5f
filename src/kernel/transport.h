/*
 * transport.h
 *	  Units with a supply go to seats with room, at least cost: a unit may be
 *	  split, and at most nseats - 1 are.
 *
 * The prices of the seats are the certificate: each unit is only where its
 * cost plus the seat's price is least, a seat with a positive price is full,
 * and one with a negative price is at its minimum.  On distances they are the
 * weights of a balanced power diagram.
 */
#ifndef SPMK_TRANSPORT_H
#define SPMK_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "solve.h"

typedef enum SpmTransportStatus
{
	SPM_TRANSPORT_OK,
	SPM_TRANSPORT_NO_ROOM,		/* the supplies are more than all capacities */
	SPM_TRANSPORT_TOO_LITTLE,	/* the supplies are less than all minimums */
	SPM_TRANSPORT_NO_SEAT,		/* unit 'unit' may go nowhere */
	SPM_TRANSPORT_OVERFULL,		/* those that may go nowhere else, 'unit' among them, overfill seats, 'seat' among them */
	SPM_TRANSPORT_STARVED		/* seat 'seat' cannot be given its minimum */
} SpmTransportStatus;

/* How much of a unit goes to a seat. */
typedef struct SpmPiece
{
	int			unit;
	int			seat;
	double		amount;
} SpmPiece;

typedef struct SpmTransport
{
	/* given; all finite but costs, and capacities, which may be INFINITY; supplies, minimums and capacities are >= 0 */
	int			nunits;			/* > 0 */
	int			nseats;			/* > 0 */
	const double *costs;		/* nunits rows of nseats; INFINITY: not allowed */
	const double *supplies;		/* a unit without supply goes where it would be cheapest */
	const double *minimums;		/* of seats; NULL: none */
	const double *capacities;	/* each >= the minimum */
	const SpmBreath *breath;

	/* in and out: prices of the seats; the better those given, the faster (zeros are fine) */
	double	   *prices;

	/* out */
	SpmPiece   *pieces;			/* room for spmk_transport_pieces(), in the order of units, then seats */
	int			npieces;
	double		value;			/* sum of amount * cost */
	double		bound;			/* what the prices prove that no plan is below */
	int			unit;			/* see status */
	int			seat;
} SpmTransport;

/* At most so many pieces. */
static inline size_t
spmk_transport_pieces(int nunits, int nseats)
{
	return (size_t) nunits + nseats;
}

/* Bytes that a solution needs beside its arguments. */
extern size_t spmk_transport_memory(int nunits, int nseats);
extern SpmTransportStatus spmk_transport(SpmTransport *t, void *memory);

#endif
