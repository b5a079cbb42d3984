/* Intrusive doubly linked list: the owner embeds a struct list; a list head is a struct list too. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_insert_before(struct list *at, struct list *e)
{
    e->prev = at->prev;
    e->next = at;
    at->prev->next = e;
    at->prev = e;
}
static inline void list_push_back(struct list *head, struct list *e)
{
    list_insert_before(head, e);
}
static inline void list_push_front(struct list *head, struct list *e)
{
    list_insert_before(head->next, e);
}
/* Unlinks e and leaves it an empty list: removing twice is harmless. */
static inline void list_remove(struct list *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}
static inline struct list *list_pop_front(struct list *head)
{
    struct list *e = head->next;

    if (e == head)
        return NULL;
    list_remove(e);
    return e;
}
/* Appends all of `from` to `to`; `from` is empty afterwards. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define LIST_EACH(pos, head) for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
/* `pos` may be removed inside the loop. */
#define LIST_EACH_SAFE(pos, head)                                                                            \
    for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head);                            \
         pos = pos##_next, pos##_next = pos->next)

#endif
