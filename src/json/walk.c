#include "json/walk.h"

void json_walk_begin(struct json_walk *w, struct slice text)
{
    *w = (struct json_walk){.text = text, .is_array = text.len && *text.data == '['};
    json_tokenize(&w->checker, text);
}

bool json_walk_next(struct json_walk *w, struct slice *name, struct slice *value)
{
    *name = (struct slice){0};
    if (!w->is_array)
        *name = json_get_token(&w->checker, w->text, w->next++);
    *value = json_get_token(&w->checker, w->text, w->next++);
    return value->data != NULL;
}

void json_walk_free(struct json_walk *w)
{
    json_checker_free(&w->checker);
}
