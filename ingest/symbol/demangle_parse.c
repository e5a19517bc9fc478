/*
 * demangle_parse.c - a name of the Itanium C++ ABI, chapter 5.1, read by a machine with two stacks:
 * what is still to be read, and the texts of what was.
 *
 *   encoding   name [return type] parameters           a function; without them, a variable
 *   name       N qualifiers component... E | Z encoding E name | [St] unqualified [arguments]
 *   arguments  I (type | L literal E | X expression E | J ... E)... E
 *   type       a letter | P R O K ... type | F type... E | A n _ type | M type type | name
 *              | S_ S1_ ... what was read before | T_ T1_ ... an argument of the function's
 * template
 *
 * A type is two texts, since a function pointer's name stands in its middle: "int (*" and ")()".
 * Arguments are put in where T_ stands, as the function's own were read before its parameters; a
 * pack (Dp) is read again for each of its elements.
 *
 * Invariants: the stacks, the steps and every text are bounded, so that a name cannot make more
 * work than MAX_STEPS * MAX_TEXT bytes; what passes a bound, and what is not listed here (most
 * expressions, decltype), leaves the name as it stands: half a name would be a wrong one.
 */
#include <assert.h>
#include <string.h>

#include "demangle_priv.h"
#include "mem.h"

/* ---- names ---- */

/* "5begin"; "_GLOBAL__N_1" is GCC's and clang's word for a namespace without a name. */
static fl_slice take_source_name(fl_dm_machine *m)
{
    size_t len;
    if (!fl_dm_take_number(m, &len) || len == 0 || len > m->in.len - m->at) {
        fl_dm_fail(m);
        return (fl_slice){0};
    }
    fl_slice name = fl_slice_part(m->in, m->at, m->at + len);
    m->at += len;
    return fl_slice_starts_with(name, FL_SLICE("_GLOBAL_")) && len > 9 && name.ptr[9] == 'N'
               ? FL_SLICE("(anonymous namespace)")
               : name;
}

/* "B5cxx11" behind a name, any number of them. */
static void take_tags(fl_dm_machine *m)
{
    assert(m->node_count > 0 || m->failed);
    while (!m->failed && fl_dm_take_letter(m, 'B')) {
        fl_slice tag = take_source_name(m);
        fl_dm_node *value = &m->nodes[m->node_count - 1];
        value->left = FL_DM_TEXT(m, value->left, FL_SLICE("[abi:"), tag, FL_SLICE("]"));
    }
}

/* "_" is the first, "0_" the second. */
static fl_slice take_ordinal(fl_dm_machine *m)
{
    size_t number = 0;
    bool has = fl_dm_take_number(m, &number);
    fl_dm_expect(m, '_');
    const char *text = fl_arena_printf(m->arena, "#%zu}", has ? number + 2 : 1);
    if (text == NULL)
        fl_dm_fail(m);
    return text != NULL ? fl_slice_of(text) : (fl_slice){0};
}

/* Letters of operators; a conversion has a type, a literal's suffix a name. */
static void take_operator(fl_dm_machine *m)
{
    unsigned operands;
    const char *name = fl_demangle_operator(fl_dm_two(m), &operands);
    fl_slice word = fl_dm_two(m);
    m->at += word.len;
    if (fl_slice_equal(word, FL_SLICE("cv"))) {
        fl_dm_push(m, FL_DM_CONVERSION, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
    } else if (fl_slice_equal(word, FL_SLICE("li")))
        fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("operator\"\" "), take_source_name(m)));
    else if (name != NULL)
        fl_dm_put_text(m, fl_slice_of(name));
    else
        fl_dm_fail(m);
}

/* A name without scopes. */
static void op_unqualified(fl_dm_machine *m, fl_dm_task now)
{
    size_t before = m->node_count;
    (void)now;
    (void)fl_dm_take_letter(m, 'L'); /* internal linkage */
    if (fl_dm_is_digit(fl_dm_peek(m, 0)))
        fl_dm_put_text(m, take_source_name(m));
    else if (fl_dm_peek(m, 0) == 'U' && fl_dm_peek(m, 1) == 'l') {
        m->at += 2;
        fl_dm_push(m, FL_DM_LAMBDA, false, 0);
        fl_dm_push(m, FL_DM_PARAMETERS, false, 0);
        return;
    } else if (fl_dm_peek(m, 0) == 'U' && fl_dm_peek(m, 1) == 't') {
        m->at += 2;
        fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("{unnamed type"), take_ordinal(m)));
    } else
        take_operator(m);
    if (!m->failed && m->node_count > before) /* a conversion has still to be read */
        take_tags(m);
}

/* Ul parameter... E [number] _: lambdas of one function are numbered by their parameters. */
static void op_lambda(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node parameters = fl_dm_take(m);
    fl_dm_expect(m, 'E');
    fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("{lambda"), parameters.left, take_ordinal(m)));
}

/* cv type: a conversion has no return type of its own, so it is special like a constructor. */
static void op_conversion(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node type = fl_dm_take(m);
    fl_dm_put(m, (fl_dm_node){.left = FL_DM_TEXT(m, FL_SLICE("operator "), fl_dm_whole(m, &type)),
                              .is_special = true});
}

/* "a" and "b" to "a::b", which is called b. */
static void op_scope(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node inner = fl_dm_take(m), outer = fl_dm_take(m);
    if (outer.left.len > 0)
        inner.left = FL_DM_TEXT(m, outer.left, FL_SLICE("::"), inner.left);
    fl_dm_put(m, inner);
}

/* The template's name, then its arguments. It keeps what a constructor is called: the name
 * alone. */
static void op_append(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node arguments = fl_dm_take(m), value = fl_dm_take(m);
    bool is_less = fl_slice_ends_with(value.left, FL_SLICE("<")); /* operator< <int> */
    value.left = FL_DM_TEXT(m, value.left, is_less ? FL_SLICE(" ") : FL_SLICE(""), arguments.left);
    value.is_template = true;
    fl_dm_put(m, value);
}

/* A constructor, or a destructor, is called as its class. */
static void put_structor(fl_dm_machine *m, fl_slice mark)
{
    fl_dm_node outer = fl_dm_take(m);
    m->at++;
    if (!fl_dm_is_digit(fl_dm_peek(m, 0)) || outer.base.len == 0)
        fl_dm_fail(m);
    m->at++;
    fl_dm_put(m, (fl_dm_node){.left = FL_DM_TEXT(m, outer.left, FL_SLICE("::"), mark, outer.base),
                              .base = outer.base,
                              .is_special = true});
    if (!m->failed)
        take_tags(m);
    fl_dm_substitute(m);
}

/* One component more; the last one's substitution is not counted here, as a function's name is none
 * and a type's is counted by itself. */
static void op_nested(fl_dm_machine *m, fl_dm_task now)
{
    unsigned char c = fl_dm_peek(m, 0);
    fl_dm_node *value = m->node_count > 0 ? &m->nodes[m->node_count - 1] : NULL;
    if (value == NULL || (value->left.len == 0 && c == 'I')) {
        fl_dm_fail(m);
        return;
    }
    if (fl_dm_take_letter(m, 'E')) {
        if (value->is_counted && m->substitution_count > 0)
            m->substitution_count--;
        return;
    }
    fl_dm_push(m, FL_DM_NESTED, now.is_own, 0);
    if (c == 'S' || c == 'T') {
        if (value->left.len > 0)
            fl_dm_fail(m);
        (void)fl_dm_take(m);
        if (c == 'T') {
            fl_dm_take_parameter(m);
            fl_dm_substitute(m);
        } else if (fl_dm_peek(m, 1) == 't') {
            m->at += 2;
            fl_dm_put_text(m, FL_SLICE("std"));
        } else
            fl_dm_take_substitution(m);
    } else if (c == 'I') {
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_begin_arguments(m, now.is_own);
    } else if (c == 'C')
        put_structor(m, FL_SLICE(""));
    else if (c == 'D')
        put_structor(m, FL_SLICE("~"));
    else if (c == 'M') /* a lambda in a member's initializer */
        m->at++;
    else {
        fl_dm_push(m, FL_DM_SUBSTITUTE, false, 0);
        fl_dm_push(m, FL_DM_SCOPE, false, 0);
        fl_dm_push(m, FL_DM_UNQUALIFIED, false, 0);
    }
}

/* An encoding inside of a type: what is known of the one around comes back behind it. */
static void save_scope(fl_dm_machine *m)
{
    if (m->scope_count == FL_DM_MAX_SCOPES) {
        fl_dm_fail(m);
        return;
    }
    m->scopes[m->scope_count++] = m->now;
    fl_dm_push(m, FL_DM_RESTORE, false, 0);
}

/* The encoding inside has been told: T_ and the qualifiers mean again what they did before. */
static void op_restore(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    assert(m->scope_count > 0);
    m->now = m->scopes[--m->scope_count];
}

/* Qualifiers of a member function are told behind its parameters. */
static void begin_nested(fl_dm_machine *m, bool is_own)
{
    m->at++;
    size_t mask = fl_dm_take_qualifiers(m);
    fl_slice reference = fl_dm_take_reference(m);
    if (is_own)
        m->now.qualifiers =
            FL_DM_TEXT(m, (mask & 1) != 0 ? FL_SLICE(" const") : FL_SLICE(""),
                       (mask & 2) != 0 ? FL_SLICE(" volatile") : FL_SLICE(""), reference);
    fl_dm_put_text(m, (fl_slice){0});
    fl_dm_push(m, FL_DM_NESTED, is_own, 0);
}

/* N nested | Z local | S_ arguments | [St] unqualified [arguments]. A name behind S_ must be a
 * template: as a type by itself it was told in begin_named_type. */
static void op_name(fl_dm_machine *m, fl_dm_task now)
{
    unsigned char c = fl_dm_peek(m, 0);
    if (c == 'N')
        begin_nested(m, now.is_own);
    else if (c == 'Z') {
        m->at++;
        if (!now.is_own)
            save_scope(m);
        fl_dm_push(m, FL_DM_LOCAL, now.is_own, 0);
        fl_dm_push(m, FL_DM_ENCODING, true, 1);
    } else if (c == 'S' && fl_dm_peek(m, 1) != 't') {
        fl_dm_take_substitution(m);
        fl_dm_begin_arguments(m, now.is_own);
    } else {
        fl_dm_push(m, FL_DM_NAME_END, now.is_own, 0);
        if (c == 'S') {
            m->at += 2;
            fl_dm_put_text(m, FL_SLICE("std"));
            fl_dm_push(m, FL_DM_SCOPE, false, 0);
        }
        fl_dm_push(m, FL_DM_UNQUALIFIED, false, 0);
    }
}

/* Without arguments a name of a function or a variable is no substitution, of a type the type's
 * step makes it one. */
static void op_name_end(fl_dm_machine *m, fl_dm_task now)
{
    if (fl_dm_peek(m, 0) != 'I')
        return;
    fl_dm_substitute(m);
    fl_dm_begin_arguments(m, now.is_own);
}

/* Behind the function: an entity in it. A discriminator tells entities of one name apart. */
static void op_local(fl_dm_machine *m, fl_dm_task now)
{
    size_t number;
    if (now.number == 1) {
        if (fl_dm_take_letter(m, '_')) {
            bool is_long = fl_dm_take_letter(m, '_');
            if (!fl_dm_take_number(m, &number))
                fl_dm_fail(m);
            if (is_long)
                fl_dm_expect(m, '_');
        }
        return;
    }
    fl_dm_expect(m, 'E');
    m->now.qualifiers = (fl_slice){0};
    fl_dm_push(m, FL_DM_LOCAL, now.is_own, 1);
    fl_dm_push(m, FL_DM_SCOPE, false, 0);
    if (fl_dm_take_letter(m, 's'))
        fl_dm_put_text(m, FL_SLICE("string literal"));
    else {
        if (fl_dm_take_letter(m, 'd')) { /* in a default argument */
            (void)fl_dm_take_number(m, &number);
            fl_dm_expect(m, '_');
        }
        fl_dm_push(m, FL_DM_NAME, now.is_own, 0);
    }
}

/* ---- functions ---- */

/* "h" and "v" offsets of thunks, which tell nobody anything. */
static void take_offset(fl_dm_machine *m)
{
    size_t number;
    (void)fl_dm_take_letter(m, 'n');
    if (!fl_dm_take_number(m, &number))
        fl_dm_fail(m);
    fl_dm_expect(m, '_');
}

/* What the compiler made for a class or a function. */
static bool begin_special(fl_dm_machine *m)
{
    fl_slice word = fl_dm_two(m);
    const char *text = fl_demangle_special(word);
    bool is_thunk = fl_slice_equal(word, FL_SLICE("Th")) || fl_slice_equal(word, FL_SLICE("Tv"));
    if (text == NULL && !is_thunk)
        return false;
    m->at += 2;
    fl_dm_push(m, FL_DM_GLUE, false, 0);
    if (is_thunk) {
        bool is_virtual = word.ptr[1] == 'v';
        fl_dm_put_text(m, is_virtual ? FL_SLICE("virtual thunk to ")
                                     : FL_SLICE("non-virtual thunk to "));
        take_offset(m);
        if (is_virtual)
            take_offset(m);
        fl_dm_push(m, FL_DM_ENCODING, true, 0);
    } else {
        bool is_type = word.ptr[0] == 'T' && word.ptr[1] != 'W' && word.ptr[1] != 'H';
        fl_dm_put_text(m, fl_slice_of(text));
        fl_dm_push(m, is_type ? FL_DM_TYPE : FL_DM_NAME, !is_type, 0);
    }
    return true;
}

/* `number` 1: of a local name, which is told without its return type. */
static void op_encoding(fl_dm_machine *m, fl_dm_task now)
{
    m->now.qualifiers = (fl_slice){0};
    if (begin_special(m))
        return;
    fl_dm_push(m, FL_DM_SIGNATURE, true, now.number);
    fl_dm_push(m, FL_DM_NAME, true, 0);
}

/* A variable ends here. Only a template tells its return type, as overloads may differ in
 * nothing else. */
static void op_signature(fl_dm_machine *m, fl_dm_task now)
{
    unsigned char c = fl_dm_peek(m, 0);
    if (c == 0 || c == 'E' || m->node_count == 0)
        return;
    fl_dm_node *name = &m->nodes[m->node_count - 1];
    bool has_return = name->is_template && !name->is_special;
    name->right = m->now.qualifiers;
    fl_dm_push(m, FL_DM_COMPOSE, has_return, now.number);
    fl_dm_push(m, FL_DM_PARAMETERS, false, 0);
    if (has_return)
        fl_dm_push(m, FL_DM_TYPE, false, 0);
}

/* Result, name, parameters, qualifiers; the result may close behind all of them: "int
 * (*f())()". */
static void op_compose(fl_dm_machine *m, fl_dm_task now)
{
    fl_dm_node parameters = fl_dm_take(m), returned = now.is_own ? fl_dm_take(m) : (fl_dm_node){0},
               name = fl_dm_take(m);
    fl_slice text = FL_DM_TEXT(m, name.left, parameters.left, name.right);
    if (now.is_own && now.number == 0)
        text = FL_DM_TEXT(m, returned.left, returned.right.len == 0 ? FL_SLICE(" ") : FL_SLICE(""),
                          text, returned.right);
    fl_dm_put_text(m, text);
}

/* Types up to the end of the name, or to the E of what they stand in. */
static void op_parameters(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_put_text(m, (fl_slice){0});
    fl_dm_push(m, FL_DM_NEXT_PARAMETER, false, 0);
}

/* R or O in front of the E are qualifiers of a function type, not references. A single void is
 * none. */
static void op_next_parameter(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    unsigned char c = fl_dm_peek(m, 0);
    if (c != 0 && c != 'E' && !((c == 'R' || c == 'O') && fl_dm_peek(m, 1) == 'E')) {
        fl_dm_push(m, FL_DM_NEXT_PARAMETER, false, 0);
        fl_dm_push(m, FL_DM_JOIN, false, 0);
        fl_dm_push(m, FL_DM_TYPE, false, 0);
        return;
    }
    fl_dm_node list = fl_dm_take(m);
    bool is_none = fl_slice_equal(list.left, FL_SLICE("void"));
    fl_dm_put_text(m,
                   FL_DM_TEXT(m, FL_SLICE("("), is_none ? FL_SLICE("") : list.left, FL_SLICE(")")));
}

/* ---- arguments ---- */

/* Those of the encoding's own name are kept, for T_. */
static void op_keep(fl_dm_machine *m, fl_dm_task now)
{
    fl_dm_scope *s = &m->now;
    if (s->element_count == FL_DM_MAX_PARAMETERS || s->parameter_count == FL_DM_MAX_PARAMETERS ||
        m->node_count == 0) {
        fl_dm_fail(m);
        return;
    }
    if (now.number == 0)
        m->parameters[s->parameter_count++] =
            (fl_dm_parameter){.first = s->element_count, .count = 1};
    m->elements[s->element_count++] = m->nodes[m->node_count - 1];
}

/* One argument, which is no pack. `number` 1: an element of a pack. */
static void begin_argument(fl_dm_machine *m, bool is_own, size_t number)
{
    fl_dm_push(m, FL_DM_JOIN, false, 0);
    if (is_own)
        fl_dm_push(m, FL_DM_KEEP, true, number);
    if (fl_dm_take_letter(m, 'X')) {
        fl_dm_push(m, FL_DM_END, false, 0);
        fl_dm_push(m, FL_DM_EXPRESSION, false, 0);
    } else
        fl_dm_push(m, fl_dm_peek(m, 0) == 'L' ? FL_DM_EXPRESSION : FL_DM_TYPE, false, 0);
}

/* I argument... E. Where they will mean T_, they are gathered behind those that T_ means now,
 * which they may themselves use. */
static void op_arguments(fl_dm_machine *m, fl_dm_task now)
{
    fl_dm_expect(m, 'I');
    fl_dm_put_text(m, (fl_slice){0});
    fl_dm_push(m, FL_DM_NEXT_ARGUMENT, now.is_own, m->now.parameter_count);
}

/* J ... E is one argument with any number of elements. */
static void op_next_argument(fl_dm_machine *m, fl_dm_task now)
{
    if (fl_dm_take_letter(m, 'E')) {
        fl_dm_node list = fl_dm_take(m);
        bool ends_alike = fl_slice_ends_with(list.left, FL_SLICE(">"));
        fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("<"), list.left,
                                     ends_alike ? FL_SLICE(" >") : FL_SLICE(">")));
        if (now.is_own) {
            assert(m->now.parameter_count >= now.number);
            m->now.live_first = now.number;
            m->now.live_count = m->now.parameter_count - now.number;
        }
        return;
    }
    fl_dm_push(m, FL_DM_NEXT_ARGUMENT, now.is_own, now.number);
    if (fl_dm_take_letter(m, 'J')) {
        fl_dm_push(m, FL_DM_JOIN, false, 0);
        fl_dm_put_text(m, (fl_slice){0});
        fl_dm_push(m, FL_DM_NEXT_ELEMENT, now.is_own, m->now.element_count);
    } else
        begin_argument(m, now.is_own, 0);
}

/* Elements are neighbours: what is read between them puts back the counts that it changed. */
static void op_next_element(fl_dm_machine *m, fl_dm_task now)
{
    fl_dm_scope *s = &m->now;
    if (!fl_dm_take_letter(m, 'E')) {
        fl_dm_push(m, FL_DM_NEXT_ELEMENT, now.is_own, now.number);
        begin_argument(m, now.is_own, 1);
    } else if (now.is_own && s->parameter_count < FL_DM_MAX_PARAMETERS)
        m->parameters[s->parameter_count++] = (fl_dm_parameter){
            .first = now.number, .count = s->element_count - now.number, .is_pack = true};
    else if (now.is_own)
        fl_dm_fail(m);
}

/* E behind an expression or the encoding in a literal. */
static void op_end(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_expect(m, 'E');
}

/* ---- expressions ---- */

/* "Lb1E" is true, "Lj5E" 5u, "LN1a1bE3E" (a::b)3; behind the type. */
static void op_literal(fl_dm_machine *m, fl_dm_task now)
{
    static const struct {
        fl_slice type, suffix;
    } words[] = {{FL_SLICE_INIT("int"), FL_SLICE_INIT("")},
                 {FL_SLICE_INIT("unsigned int"), FL_SLICE_INIT("u")},
                 {FL_SLICE_INIT("long"), FL_SLICE_INIT("l")},
                 {FL_SLICE_INIT("unsigned long"), FL_SLICE_INIT("ul")},
                 {FL_SLICE_INIT("long long"), FL_SLICE_INIT("ll")},
                 {FL_SLICE_INIT("unsigned long long"), FL_SLICE_INIT("ull")}};
    fl_dm_node type = fl_dm_take(m);
    (void)now;
    fl_slice sign = fl_dm_take_letter(m, 'n') ? FL_SLICE("-") : FL_SLICE("");
    size_t begin = m->at;
    while (fl_dm_peek(m, 0) != 'E' && fl_dm_peek(m, 0) != 0)
        m->at++;
    fl_slice value = fl_slice_part(m->in, begin, m->at), name = fl_dm_whole(m, &type);
    fl_dm_expect(m, 'E');
    if (fl_slice_equal(name, FL_SLICE("bool")) && value.len == 1) {
        fl_dm_put_text(m, value.ptr[0] == '0' ? FL_SLICE("false") : FL_SLICE("true"));
        return;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_equal(name, words[i].type)) {
            fl_dm_put_text(m, FL_DM_TEXT(m, sign, value, words[i].suffix));
            return;
        }
    fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("("), name, FL_SLICE(")"), sign, value));
}

/* Literals, parameters, members of a type ("sr"), and operators over them. */
static void op_expression(fl_dm_machine *m, fl_dm_task now)
{
    unsigned operands = 0;
    (void)now;
    const char *name = fl_demangle_operator(fl_dm_two(m), &operands);
    if (fl_dm_take_letter(m, 'L')) {
        if (fl_slice_equal(fl_dm_two(m), FL_SLICE("_Z"))) {
            m->at += 2;
            fl_dm_push(m, FL_DM_END, false, 0);
            save_scope(m);
            fl_dm_push(m, FL_DM_ENCODING, true, 0);
        } else {
            fl_dm_push(m, FL_DM_LITERAL, false, 0);
            fl_dm_push(m, FL_DM_TYPE, false, 0);
        }
    } else if (fl_dm_peek(m, 0) == 'T')
        fl_dm_take_parameter(m);
    else if (fl_slice_equal(fl_dm_two(m), FL_SLICE("sr"))) {
        m->at += 2;
        if (fl_dm_is_digit(fl_dm_peek(m, 0))) {
            fl_dm_put_text(m, (fl_slice){0});
            fl_dm_push(m, FL_DM_NEXT_LEVEL, false, 0);
        } else {
            fl_dm_push(m, FL_DM_MEMBER_OF, false, 0);
            fl_dm_push(m, FL_DM_TYPE, false, 0);
        }
    } else if (name != NULL && operands > 0) {
        m->at += 2;
        fl_dm_put_text(m, fl_slice_part(fl_slice_of(name), strlen("operator"), strlen(name)));
        fl_dm_push(m, operands == 1 ? FL_DM_UNARY : FL_DM_BINARY, false, 0);
        for (unsigned i = 0; i < operands; i++)
            fl_dm_push(m, FL_DM_EXPRESSION, false, 0);
    } else
        fl_dm_fail(m);
}

/* Operands stand in brackets, as c++filt writes them. */
static void op_unary(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node value = fl_dm_take(m), mark = fl_dm_take(m);
    fl_dm_put_text(m,
                   FL_DM_TEXT(m, mark.left, FL_SLICE("("), fl_dm_whole(m, &value), FL_SLICE(")")));
}

/* The operator was put first, its operands behind it. */
static void op_binary(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_node right = fl_dm_take(m), left = fl_dm_take(m), mark = fl_dm_take(m);
    fl_dm_put_text(m, FL_DM_TEXT(m, FL_SLICE("("), fl_dm_whole(m, &left), FL_SLICE(")"), mark.left,
                                 FL_SLICE("("), fl_dm_whole(m, &right), FL_SLICE(")")));
}

/* A member of the type before: "std::is_same<A, B>::value". */
static void op_member_of(fl_dm_machine *m, fl_dm_task now)
{
    (void)now;
    fl_dm_put_text(m, take_source_name(m));
    fl_dm_push(m, FL_DM_SCOPE, false, 0);
    if (fl_dm_peek(m, 0) == 'I')
        fl_dm_begin_arguments(m, false);
}

/* "3std9is_signedIT_EE5value": names of classes up to an E, then the member; none of them is a
 * substitution. */
static void op_next_level(fl_dm_machine *m, fl_dm_task now)
{
    if (!fl_dm_take_letter(m, 'E'))
        fl_dm_push(m, FL_DM_NEXT_LEVEL, false, 0);
    op_member_of(m, now);
}

/* ---- the whole ---- */

static void (*const ops[FL_DM_COUNT])(fl_dm_machine *m, fl_dm_task now) = {
    [FL_DM_ENCODING] = op_encoding,
    [FL_DM_SIGNATURE] = op_signature,
    [FL_DM_COMPOSE] = op_compose,
    [FL_DM_PARAMETERS] = op_parameters,
    [FL_DM_NEXT_PARAMETER] = op_next_parameter,
    [FL_DM_JOIN] = fl_dm_op_join,
    [FL_DM_GLUE] = fl_dm_op_glue,
    [FL_DM_TYPE] = fl_dm_op_type,
    [FL_DM_QUALIFY] = fl_dm_op_qualify,
    [FL_DM_POINTER] = fl_dm_op_pointer,
    [FL_DM_FUNCTION] = fl_dm_op_function,
    [FL_DM_ARRAY] = fl_dm_op_array,
    [FL_DM_MEMBER] = fl_dm_op_member,
    [FL_DM_SUBSTITUTE] = fl_dm_op_substitute,
    [FL_DM_NAME] = op_name,
    [FL_DM_NAME_END] = op_name_end,
    [FL_DM_NESTED] = op_nested,
    [FL_DM_SCOPE] = op_scope,
    [FL_DM_UNQUALIFIED] = op_unqualified,
    [FL_DM_LAMBDA] = op_lambda,
    [FL_DM_CONVERSION] = op_conversion,
    [FL_DM_LOCAL] = op_local,
    [FL_DM_RESTORE] = op_restore,
    [FL_DM_APPEND] = op_append,
    [FL_DM_ARGUMENTS] = op_arguments,
    [FL_DM_NEXT_ARGUMENT] = op_next_argument,
    [FL_DM_NEXT_ELEMENT] = op_next_element,
    [FL_DM_KEEP] = op_keep,
    [FL_DM_LITERAL] = op_literal,
    [FL_DM_END] = op_end,
    [FL_DM_PACK] = fl_dm_op_pack,
    [FL_DM_EXPRESSION] = op_expression,
    [FL_DM_UNARY] = op_unary,
    [FL_DM_BINARY] = op_binary,
    [FL_DM_MEMBER_OF] = op_member_of,
    [FL_DM_NEXT_LEVEL] = op_next_level,
};

/* Rows of the stacks are written before they are read: only the counts begin with a value, as to
 * clear 125 KB for each name takes longer than to read it. */
static void begin(fl_dm_machine *m, fl_slice name, fl_arena *scratch)
{
    m->in = name;
    m->at = 0;
    m->arena = scratch;
    m->failed = false;
    m->task_count = m->node_count = m->substitution_count = 0;
    m->scope_count = m->pack_count = 0;
    m->last_pack = 0;
    m->now = (fl_dm_scope){0};
}

fl_slice fl_demangle_parse(fl_slice name, fl_arena *scratch)
{
    fl_slice text = {0};
    fl_dm_machine *m = fl_mem_alloc(sizeof(*m));
    if (m == NULL)
        return text;
    begin(m, name, scratch);
    fl_dm_push(m, FL_DM_ENCODING, true, 0);
    for (size_t steps = 0; m->task_count > 0 && !m->failed; steps++) {
        fl_dm_task now = m->tasks[--m->task_count];
        assert(now.op < FL_DM_COUNT && ops[now.op] != NULL);
        if (steps == FL_DM_MAX_STEPS)
            fl_dm_fail(m);
        else
            ops[now.op](m, now);
    }
    if (!m->failed && m->at == name.len && m->node_count == 1)
        text = fl_dm_whole(m, &m->nodes[0]);
    fl_mem_free(m);
    return text;
}
