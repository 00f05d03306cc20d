#include "load.h"

#include <time.h>
#include <unistd.h>

static const struct options *options;
static enum { WARMING, MEASURING, OVER } phase;
static uint64_t begin_ns, end_ns; /* of the window, once they are known */
static struct usage server_begin, server_end;
static struct usage load_begin, load_end;
static uint64_t sent, answered, lost; /* of the whole run */
static uint64_t messages, window_lost;

static void window_begin(uint64_t now)
{
    phase = MEASURING;
    messages = window_lost = 0;
    histogram_clear();
    if (options->server_pid)
        server_begin = process_tree_usage(options->server_pid);
    load_begin = process_tree_usage(getpid());
    begin_ns = options->server_pid ? now_ns() : now;
}

static void window_end(uint64_t now)
{
    phase = OVER;
    end_ns = now;
    load_end = process_tree_usage(getpid());
    if (options->server_pid)
        server_end = process_tree_usage(options->server_pid);
}

/* A run of a number of messages has no warm-up: every message counts. */
void run_start(const struct options *the_options)
{
    options = the_options;
    begin_ns = now_ns();
    if (options->messages)
        window_begin(begin_ns);
}

bool run_goes_on(uint64_t now)
{
    if (phase == WARMING && (double)(now - begin_ns) >= options->warm_s * 1e9)
        window_begin(now);
    else if (phase == MEASURING && options->messages && run_is_answered())
        window_end(now);
    else if (phase == MEASURING &&
             (double)(now - begin_ns) >= options->seconds * 1e9) {
        if (options->messages)
            fail("only %llu of %llu messages in %g s",
                 (unsigned long long)messages,
                 (unsigned long long)options->messages, options->seconds);
        window_end(now);
    }
    return phase != OVER;
}

bool run_may_send(void)
{
    if (options->messages && sent == options->messages)
        return false;
    sent++;
    return true;
}

void run_count(uint64_t latency_ns, uint64_t times)
{
    answered += times;
    messages += times;
    histogram_add(latency_ns, times);
}

void run_lost(uint64_t times)
{
    lost += times;
    window_lost += times;
}

bool run_is_answered(void)
{
    return sent == options->messages &&
           answered + lost >= sent * options->fan_out;
}

void run_report(void)
{
    double seconds = (double)(end_ns - begin_ns) / 1e9;
    double cpu_s = (double)(server_end.cpu_ns - server_begin.cpu_ns) / 1e9;
    double waited_s =
        (double)(server_end.waited_ns - server_begin.waited_ns) / 1e9;
    double load_s = (double)(load_end.cpu_ns - load_begin.cpu_ns) / 1e9;

    if (!messages)
        fail("nothing came back in %g s", seconds);
    printf("{\"messages\": %llu, \"lost\": %llu, \"seconds\": %.6f, "
           "\"rate\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
           "\"p999_us\": %.2f, \"max_us\": %.2f, \"cpu_us\": %.6f, "
           "\"busy\": %.3f, \"waited\": %.3f, \"load_busy\": %.3f}\n",
           (unsigned long long)messages, (unsigned long long)window_lost,
           seconds, (double)messages / seconds, histogram_us(0.5),
           histogram_us(0.99), histogram_us(0.999), histogram_us(1),
           cpu_s * 1e6 / (double)messages, cpu_s / seconds, waited_s / seconds,
           load_s / seconds);
}
