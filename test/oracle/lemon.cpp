/*
 * lemon.cpp: transport and linear assignment beside the network simplex of
 * COIN-OR LEMON, of which only the headers are used: equal objectives.
 *
 *   lemon                                  random problems, as TAP
 *   lemon UNITS SEATS [SLACK [SEED]]       one problem on a map: seconds of processor time and peak memory of both
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

extern "C" {
#include "kernel/lap.h"
#include "kernel/transport.h"
}

struct Problem
{
	int			n;
	int			k;
	std::vector<double> costs;
	std::vector<double> supplies;
	std::vector<double> minimums;
	std::vector<double> capacities;
};

static SpmChance chance = {1};

static double
unit()
{
	return spmk_chance_unit(&chance);
}

static int
below(int n)
{
	return (int) spmk_chance_below(&chance, n);
}

static double
normal()
{
	return std::sqrt(-2 * std::log(1 - unit())) * std::cos(2 * M_PI * unit());
}

/* Accounts of lognormal size around 20 towns; seats likewise; distances in metres. */
static Problem
on_a_map(int n, int k, double slack)
{
	Problem		p = {n, k, {}, {}, {}, {}};
	std::vector<double> x, y, town_x, town_y;
	double		total = 0;
	double		share = 0;

	for (int i = 0; i < 20; i++)
	{
		town_x.push_back(1e6 * unit());
		town_y.push_back(1e6 * unit());
	}
	for (int i = 0; i < n + k; i++)
	{
		int			town = below(20);

		x.push_back(town_x[town] + 6e4 * normal());
		y.push_back(town_y[town] + 6e4 * normal());
	}
	for (int i = 0; i < n; i++)
	{
		p.supplies.push_back(1 + std::floor(100 * std::exp(normal())));
		total += p.supplies[i];
		for (int j = 0; j < k; j++)
			p.costs.push_back(std::rint(std::hypot(x[i] - x[n + j], y[i] - y[n + j])));
	}
	for (int j = 0; j < k; j++)
		share += p.capacities.emplace_back(0.5 + unit());
	for (int j = 0; j < k; j++)
		p.capacities[j] = std::ceil(total * (1 + slack) * p.capacities[j] / share);
	p.minimums.assign(k, 0);
	return p;
}

static Problem
at_random()
{
	int			n = 1 + below(200);
	int			k = 1 + below(20);
	int			most = below(2) ? 10 : 100000;
	int			forbidden = below(2) ? 0 : below(60);
	Problem		p = {n, k, {}, {}, {}, {}};
	double		total = 0;

	for (int i = 0; i < n; i++)
	{
		p.supplies.push_back(below(100));
		total += p.supplies[i];
		for (int j = 0; j < k; j++)
			p.costs.push_back(below(100) < forbidden && (p.supplies[i] > 0 || j > 0) ? INFINITY : below(most) - most / 4);
	}
	for (int j = 0; j < k; j++)
	{
		p.capacities.push_back(std::ceil(total / k) + below(1 + (int) (total / k)));
		p.minimums.push_back(below(2) ? 0 : std::floor(total / k * unit()));
	}
	return p;
}

/* Returns whether it can be done. */
static bool
by_lemon(const Problem &p, double *value)
{
	typedef lemon::SmartDigraph Graph;
	typedef lemon::NetworkSimplex<Graph, long long, long long> Simplex;
	Graph		graph;
	std::vector<Graph::Node> units, seats;
	Graph::Node outside = graph.addNode();
	Graph::ArcMap<long long> costs(graph), lowers(graph), uppers(graph);
	Graph::NodeMap<long long> supplies(graph);
	long long	total = 0;

	graph.reserveNode(p.n + p.k + 1);
	graph.reserveArc((size_t) p.n * p.k + p.k);
	for (int j = 0; j < p.k; j++)
	{
		Graph::Node seat = graph.addNode();
		Graph::Arc	arc = graph.addArc(seat, outside);

		seats.push_back(seat);
		lowers[arc] = (long long) p.minimums[j];
		uppers[arc] = (long long) p.capacities[j];
	}
	for (int i = 0; i < p.n; i++)
	{
		Graph::Node node = graph.addNode();

		units.push_back(node);
		supplies[node] = (long long) p.supplies[i];
		total += supplies[node];
		for (int j = 0; j < p.k; j++)
			if (std::isfinite(p.costs[(size_t) i * p.k + j]))
			{
				Graph::Arc	arc = graph.addArc(node, seats[j]);

				costs[arc] = (long long) p.costs[(size_t) i * p.k + j];
				uppers[arc] = supplies[node];
			}
	}
	supplies[outside] = -total;

	Simplex		simplex(graph);

	simplex.costMap(costs).supplyMap(supplies).lowerMap(lowers).upperMap(uppers);
	if (simplex.run() != Simplex::OPTIMAL)
		return false;
	*value = (double) simplex.totalCost<long long>();
	return true;
}

static SpmTransportStatus
by_spm(const Problem &p, double *value, double *bound)
{
	std::vector<double> prices(p.k);
	std::vector<SpmPiece> pieces(spmk_transport_pieces(p.n, p.k));
	std::vector<char> memory(spmk_transport_memory(p.n, p.k));
	SpmTransport t = {};
	SpmTransportStatus status;

	t.nunits = p.n;
	t.nseats = p.k;
	t.costs = p.costs.data();
	t.supplies = p.supplies.data();
	t.minimums = p.minimums.data();
	t.capacities = p.capacities.data();
	t.prices = prices.data();
	t.pieces = pieces.data();
	status = spmk_transport(&t, memory.data());
	*value = t.value;
	*bound = t.bound;
	return status;
}

static bool
by_lap(const Problem &p, double *value)
{
	std::vector<int> columns(p.n);
	std::vector<double> rows(p.n), prices(p.k);
	std::vector<char> memory(spmk_lap_memory(p.n, p.k) + 8);
	SpmLap		l = {};

	l.nrows = p.n;
	l.ncolumns = p.k;
	l.costs = p.costs.data();
	l.columns = columns.data();
	l.row_prices = rows.data();
	l.column_prices = prices.data();
	*value = 0;
	if (!spmk_lap(&l, memory.data()))
		return false;
	for (int i = 0; i < p.n; i++)
		*value += p.costs[(size_t) i * p.k + columns[i]];
	return true;
}

static int
random_problems()
{
	int			wrong = 0;
	int			solved = 0;

	for (int round = 0; round < 2000; round++)
	{
		Problem		p = round % 10 ? at_random() : on_a_map(100 + below(900), 2 + below(20), 0.2 * unit());
		double		lemon = 0, value, bound;
		bool		can = by_lemon(p, &lemon);
		SpmTransportStatus status = by_spm(p, &value, &bound);

		if ((status == SPM_TRANSPORT_OK) != can ||
			(can && (value != lemon || std::fabs(bound - value) > 1e-9 * (1 + std::fabs(value)))))
		{
			wrong++;
			std::printf("# problem %d: %d units, %d seats, status %d, %.17g, LEMON %.17g\n", round, p.n, p.k, (int) status, value, lemon);
		}
		solved += can;
	}
	std::printf("%sok 1 - 2,000 transport problems, of which %d can be solved, cost the same as by LEMON\n", wrong ? "not " : "", solved);

	int			wrong_pairs = 0;

	for (int round = 0; round < 300; round++)
	{
		Problem		p = at_random();
		double		lemon = 0, value;
		bool		can;

		if (p.n > p.k)
			p.n = p.k;
		p.supplies.assign(p.n, 1);
		p.capacities.assign(p.k, 1);
		p.minimums.assign(p.k, 0);
		can = by_lemon(p, &lemon);
		if (by_lap(p, &value) != can || (can && value != lemon))
			wrong_pairs++;
	}
	std::printf("%sok 2 - 300 linear assignments cost the same as by LEMON\n1..2\n", wrong_pairs ? "not " : "");
	return wrong + wrong_pairs > 0;
}

/* Each in a process of its own, or one would hide the peak of the other. */
static void
measure(const char *name, const Problem &p, bool lemon)
{
	std::fflush(stdout);
	if (fork() == 0)
	{
		struct rusage before, after;
		clock_t		begin = std::clock();
		double		value = 0, bound;

		getrusage(RUSAGE_SELF, &before);
		if (lemon)
			by_lemon(p, &value);
		else
			by_spm(p, &value, &bound);
		getrusage(RUSAGE_SELF, &after);
		std::printf("%-6s %.3f s %6.0f MB, %6.0f of them the table of costs, objective %.0f\n", name,
					(double) (std::clock() - begin) / CLOCKS_PER_SEC, after.ru_maxrss / 1024.0,
					p.costs.size() * sizeof(double) / 1048576.0, value);
		std::fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int
main(int argc, char **argv)
{
	if (argc < 3)
		return random_problems();
	if (argc > 4)
		chance.state = std::atoi(argv[4]);

	Problem		p = on_a_map(std::atoi(argv[1]), std::atoi(argv[2]), argc > 3 ? std::atof(argv[3]) : 0.05);

	measure("LEMON", p, true);
	measure("spm", p, false);
	return 0;
}
