/* Guesses: asked for, noted and judged. */

#include "compare/report/predict.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cli/columns.h"
#include "compare/lab/result_parts.h"

static int predict_count_answers(const struct guess *guess)
{
    int count = 0;

    while (count < GUESS_ANSWERS && guess->answers[count])
        count++;
    return count;
}

static void predict_print_question(const struct experiment *experiment,
                                   FILE *out)
{
    const struct guess *guess = &experiment->guess;
    size_t width = columns_of_terminal(fileno(out));

    fprintf(out, "%s (%s)\n", experiment->title, experiment->name);
    columns_paragraph(out, "Guess: ", guess->question, width);
    for (int i = 0; i < predict_count_answers(guess); i++) {
        char letter[] = "  a) ";

        letter[2] = (char)('a' + i);
        columns_paragraph(out, letter, guess->answers[i], width);
    }
}

/* The answer that a line names, -1 for an empty line, -2 for another. */
static int predict_answer_of(const char *line, int count)
{
    char letter;
    int answer;

    line += strspn(line, " \t\r\n");
    if (*line == '\0')
        return -1;
    letter = *line++;
    line += *line == ')';
    if (line[strspn(line, " \t\r\n")] != '\0')
        return -2;
    answer = (letter | 0x20) - 'a';
    return answer >= 0 && answer < count ? answer : -2;
}

int predict_ask(const struct experiment *experiment, FILE *in, FILE *out)
{
    int count = predict_count_answers(&experiment->guess), answer = -2;
    size_t size = 0;
    char *line = NULL;

    predict_print_question(experiment, out);
    while (answer == -2) {
        fprintf(out, "Your guess (a to %c; Enter for none): ", 'a' + count - 1);
        fflush(out);
        answer =
            getline(&line, &size, in) < 0 ? -1 : predict_answer_of(line, count);
    }
    fputc('\n', out);
    free(line);
    return answer;
}

void predict_note(json_t *result, const struct experiment *experiment,
                  int guess)
{
    json_t *answers = json_array(), *note = json_object();
    json_t *came_out = json_object_get(result, "answer");

    for (int i = 0; i < predict_count_answers(&experiment->guess); i++)
        result_append(answers, json_string(experiment->guess.answers[i]));
    result_set(note, "question", json_string(experiment->guess.question));
    result_set(note, "answers", answers);
    if (guess >= 0) {
        result_set(note, "guess", json_integer(guess));
        if (came_out)
            result_set(note, "is_right",
                       json_boolean(json_integer_value(came_out) == guess));
    }
    result_set(result, "guess", note);
}

static const char *predict_answer_text(const json_t *note, const json_t *answer)
{
    return json_string_value(json_array_get(
        json_object_get(note, "answers"), (size_t)json_integer_value(answer)));
}

void predict_tell(const json_t *result, FILE *out, size_t width)
{
    const json_t *note = json_object_get(result, "guess");
    const json_t *guess = json_object_get(note, "guess");
    const json_t *came_out = json_object_get(result, "answer");
    bool is_right = json_is_true(json_object_get(note, "is_right"));

    if (!guess || !came_out)
        return;

    char *text = must_printf(is_right ? "%s." : "%s. What came out: %s.",
                             predict_answer_text(note, guess),
                             predict_answer_text(note, came_out));

    columns_paragraph(
        out, is_right ? "  Your guess was right: " : "  Your guess: ", text,
        width);
    free(text);
}

void predict_sum(const json_t *results, FILE *out)
{
    size_t made = 0, right = 0, i;
    json_t *result;

    json_array_foreach (results, i, result) {
        json_t *verdict =
            json_object_get(json_object_get(result, "guess"), "is_right");

        made += verdict != NULL;
        right += json_is_true(verdict);
    }
    if (made > 0)
        fprintf(out, "Guessed right: %zu of %zu.\n", right, made);
}
