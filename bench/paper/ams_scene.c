// SPDX-License-Identifier: Apache-2.0
/* What models of the made-up world say about an item.
 *
 * A data set is a mixture of scenes. A scene says how likely people, faces, hands, dogs and actions are, how large, where, and
 * which objects belong there; what is really there is drawn from it, once for all models. A model then sees a label with the
 * score GAIN * (clarity * ability - 1/2) + noise and says it with the confidence (1 + score / (1 + score)) / 2 where the
 * score is above 0. Models of one task share labels, but see different sizes or places well, and some call some categories by
 * a neighbour's name; so several of them may be needed for one item, and which ones is no accident.
 *
 * Only additions, products, quotients and roundings: the same numbers on every machine. Every number here was chosen with
 * random order, rules and optimal order alone (docs/paper-ams.md), before anything was learned, and stays. */
#include "paper/ams_scene.h"

#include "core/rng.h"
#include "paper/ams_world.h"

/* ---- models ---- */

#define OBJECTS 0, 80
#define PLACES  0, 365
#define ACTIONS 0, 400
// clang-format off
const struct ams_model ams_models[AMS_MODELS] = {
    {"object_fast", "object detection", AMS_OBJECT, 50, 1200, OBJECTS, {1, 0.45, 0.2}, 0, AMS_ANY},
    {"object_wide", "object detection", AMS_OBJECT, 80, 2500, OBJECTS, {0.7, 1, 0.4}, 0, AMS_ANY},
    {"object_fine", "object detection", AMS_OBJECT, 110, 4400, OBJECTS, {0.4, 0.7, 1}, 0, AMS_ANY},
    {"object_street", "object detection", AMS_OBJECT, 70, 1800, 0, 14, {0.65, 0.85, 0.95}, 0, AMS_ANY},
    {"object_animal", "animal-object detection", AMS_OBJECT, 80, 2600, AMS_ANIMAL, AMS_ANIMALS, {0.9, 0.95, 0.9}, 0, AMS_ANY},
    {"object_household", "object detection", AMS_OBJECT, 80, 3000, 39, 41, {0.8, 0.9, 0.95}, 0, AMS_ANY},
    {"place_indoor", "place classification", AMS_PLACE, 50, 900, PLACES, {1, 0.6, 0.4}, 50, AMS_ANY},
    {"place_town", "place classification", AMS_PLACE, 70, 1300, PLACES, {0.65, 1, 0.65}, 50, AMS_ANY},
    {"place_open", "place classification", AMS_PLACE, 80, 1700, PLACES, {0.4, 0.6, 1}, 50, AMS_ANY},
    {"place_wide", "place classification", AMS_PLACE, 90, 2600, PLACES, {0.8, 0.8, 0.8}, 85, AMS_ANY},
    {"place_fine", "place classification", AMS_PLACE, 120, 3600, PLACES, {0.9, 0.9, 0.9}, 85, AMS_ANY},
    {"face_large", "face detection", AMS_FACE, 90, 900, 0, 1, {1, 0.6, 0.3}, 0, AMS_FRONT},
    {"face_middle", "face detection", AMS_FACE, 120, 1500, 0, 1, {0.6, 1, 0.6}, 0, AMS_FRONT},
    {"face_small", "face detection", AMS_FACE, 200, 3000, 0, 1, {0.3, 0.6, 1}, 0, AMS_FRONT},
    {"face_profile", "face detection", AMS_FACE, 150, 2000, 0, 1, {0.75, 0.75, 0.6}, 0, AMS_SIDE},
    {"landmark_front", "face landmark localization", AMS_LANDMARK, 180, 4200, 0, 70, {1, 0.9, 0.3}, 0, AMS_FRONT},
    {"landmark_profile", "face landmark localization", AMS_LANDMARK, 260, 5400, 0, 70, {1, 0.9, 0.3}, 0, AMS_SIDE},
    {"pose_single", "pose estimation", AMS_POSE, 160, 5400, 0, 17, {0.3, 1, 0.45}, 0, AMS_ANY},
    {"pose_multi", "pose estimation", AMS_POSE, 210, 7000, 0, 17, {0.3, 0.45, 1}, 0, AMS_ANY},
    {"emotion", "emotion classification", AMS_EMOTION, 110, 1500, 0, 7, {1, 0.85, 0}, 15, AMS_ANY},
    {"gender", "gender classification", AMS_GENDER, 90, 1400, 0, 2, {1, 0.95, 0.8}, 0, AMS_ANY},
    {"action_general", "action classification", AMS_ACTION, 400, 8000, ACTIONS, {0.66, 0.66, 0.66}, 50, AMS_ANY},
    {"action_home", "action classification", AMS_ACTION, 330, 5800, ACTIONS, {1, 0.9, 0.2}, 50, AMS_ANY},
    {"action_sport", "sport-action classification", AMS_ACTION, 340, 6000, AMS_SPORT, AMS_SPORTS, {0, 0, 1}, 50, AMS_ANY},
    {"hand_large", "hand landmark localization", AMS_HAND, 250, 5200, 0, 42, {1, 0.9, 0.2}, 0, AMS_ANY},
    {"hand_small", "hand landmark localization", AMS_HAND, 320, 6000, 0, 42, {0.4, 0.45, 1}, 0, AMS_ANY},
    {"dog_large", "dog classification", AMS_DOG, 220, 500, 0, 120, {1, 0.5, 0.2}, 30, AMS_ANY},
    {"dog_middle", "dog classification", AMS_DOG, 270, 1600, 0, 120, {0.5, 1, 0.5}, 30, AMS_ANY},
    {"dog_small", "dog classification", AMS_DOG, 290, 2600, 0, 120, {0.4, 0.5, 1}, 30, AMS_ANY},
    {"dog_wide", "dog classification", AMS_DOG, 290, 3900, 0, 120, {0.7, 0.7, 0.7}, 30, AMS_ANY},
};
// clang-format on

/* ---- scenes ---- */

enum size { LARGE, MIDDLE, SMALL };
enum domain { HOME, INDOORS, TOWN, NATURE, STADIUM };

static const struct {
    int from, n; // places
    enum size seen_as;
} domains[] = {
    [HOME] = {0, 55, LARGE},
    [INDOORS] = {55, AMS_INDOORS - 55, LARGE},
    [TOWN] = {AMS_INDOORS, 70, MIDDLE},
    [NATURE] = {230, 85, SMALL},
    [STADIUM] = {315, 50, SMALL},
};

enum { BELONGS = 10 }; // objects of a scene
struct scene {
    double person, large, middle;               // how likely people are; their size, else small
    double group, face, profile, hands, action; // with people: how likely
    enum size doing;                            // at home, with the hands, sports
    double dog;
    enum domain domain;
    double clear;         // how well the place can be told
    int n_objects;        // at most, beside people and dogs; at least half of it
    int objects[BELONGS]; // one of these each
};

// clang-format off
enum { PORTRAIT, GROUP, SPORT, STREET, KITCHEN, PARTY, CRAFT, DOG_WALK, PET, WILDLIFE, LANDSCAPE, BUILDING, ROOM, FOOD,
       SCENES };
static const struct scene scenes[SCENES] = {
    [PORTRAIT] = {1, 0.9, 0.1, 0.1, 1, 0.25, 0.1, 0.05, LARGE, 0, HOME, 0.45, 2, {27, 67, 41, 73, 24, 56, 39, 26, 65, 75}},
    [GROUP] = {1, 0.35, 0.65, 1, 1, 0.2, 0.15, 0.1, LARGE, 0, INDOORS, 0.6, 4, {27, 39, 40, 41, 56, 60, 67, 26, 57, 43}},
    [SPORT] = {1, 0, 0.4, 0.4, 0.15, 0.4, 0.1, 0.9, SMALL, 0, STADIUM, 0.8, 4, {32, 34, 35, 36, 37, 38, 30, 31, 29, 1}},
    [STREET] = {0.9, 0, 0.2, 0.6, 0.2, 0.5, 0.05, 0.2, SMALL, 0.03, TOWN, 0.85, 8, {2, 5, 7, 9, 3, 1, 13, 24, 25, 11}},
    [KITCHEN] = {0.8, 0.05, 0.9, 0.3, 0.45, 0.4, 0.7, 0.5, LARGE, 0.02, HOME, 0.8, 8, {45, 68, 69, 71, 72, 43, 44, 41, 39, 56}},
    [PARTY] = {1, 0.1, 0.8, 0.9, 0.7, 0.4, 0.3, 0.3, LARGE, 0, INDOORS, 0.7, 6, {40, 41, 39, 60, 56, 55, 53, 27, 26, 43}},
    [CRAFT] = {1, 0.1, 0.9, 0.1, 0.5, 0.4, 0.95, 0.7, MIDDLE, 0, INDOORS, 0.6, 5, {76, 63, 66, 64, 41, 56, 60, 73, 39, 62}},
    [DOG_WALK] = {0.9, 0, 0.5, 0.2, 0.3, 0.4, 0.1, 0.25, SMALL, 1, NATURE, 0.75, 4, {13, 29, 32, 1, 24, 26, 2, 58, 25, 33}},
    [PET] = {0.05, 0.2, 0.8, 0, 0.5, 0.5, 0.3, 0.1, LARGE, 0.6, HOME, 0.65, 8, {15, 57, 59, 56, 77, 73, 62, 58, 41, 65}},
    [WILDLIFE] = {0.03, 0, 0.5, 0, 0.5, 0.5, 0, 0.1, SMALL, 0.02, NATURE, 0.85, 8, {14, 17, 18, 19, 20, 21, 22, 23, 14, 8}},
    [LANDSCAPE] = {0.08, 0, 0.05, 0.1, 0.1, 0.5, 0, 0.2, SMALL, 0.01, NATURE, 0.95, 8, {8, 14, 13, 33, 19, 18, 4, 25, 37, 2}},
    [BUILDING] = {0.15, 0, 0.1, 0.3, 0.1, 0.5, 0, 0.05, SMALL, 0.01, TOWN, 0.95, 10, {2, 9, 74, 7, 5, 58, 13, 10, 12, 1}},
    [ROOM] = {0.06, 0, 0.6, 0.1, 0.3, 0.5, 0.2, 0.3, LARGE, 0.01, HOME, 0.95, 10, {56, 57, 58, 59, 60, 62, 73, 74, 75, 63}},
    [FOOD] = {0.1, 0, 1, 0, 0.1, 0.5, 0.6, 0.3, LARGE, 0, INDOORS, 0.75, 10, {60, 45, 41, 43, 42, 44, 53, 55, 40, 39}},
};

static const double mixtures[AMS_DATASETS][SCENES] = { // in percent
    [AMS_STANFORD40] = {2, 3, 36, 6, 16, 3, 28, 6, 0, 0, 0, 0, 0, 0},
    [AMS_VOC] = {8, 7, 11, 24, 7, 5, 3, 6, 8, 10, 3, 4, 3, 1},
    [AMS_COCO] = {6, 5, 20, 29, 9, 7, 6, 5, 3, 4, 1, 1, 3, 1},
    [AMS_MIRFLICKR] = {22, 9, 7, 22, 4, 6, 5, 5, 2, 4, 8, 4, 1, 1},
    [AMS_PLACES] = {2, 5, 17, 33, 8, 9, 4, 3, 0, 1, 6, 6, 5, 1},
};
// clang-format on

/* ---- what is there ---- */

enum { THINGS_MAX = 16 };
struct latent {
    double clarity[AMS_TASKS]; // 0: not there
    enum size size[AMS_TASKS];
    int label[AMS_TASKS];             // of the tasks that choose one
    bool group, profile, left, right; // left, right: hands
    int n_things;
    struct thing {
        int label;
        enum size size;
        double clarity;
    } things[THINGS_MAX];
};

static bool happens(struct few__rng *rng, double p)
{
    return few__rng_unit(rng) < p;
}

static double between(struct few__rng *rng, double low, double high)
{
    return low + (high - low) * few__rng_unit(rng);
}

// Mean 0, variance 1: the sum of four uniform numbers, so that nothing depends on a library's logarithm.
static double noise(struct few__rng *rng)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += few__rng_unit(rng);
    return (sum - 2) * 1.7320508075688772;
}

// Low numbers are more frequent, as categories are.
static int pick(struct few__rng *rng, int from, int n)
{
    double u = few__rng_unit(rng);
    return from + (int)((double)n * u * u);
}

static const struct scene *draw_scene(struct few__rng *rng, enum ams_dataset dataset)
{
    double left = 100 * few__rng_unit(rng);
    size_t s = 0;
    while (s < SCENES - 1 && left >= mixtures[dataset][s]) left -= mixtures[dataset][s++];
    return &scenes[s];
}

static void add_thing(struct latent *l, int label, enum size size, double clarity)
{
    for (int i = 0; i < l->n_things; i++)
        if (l->things[i].label == label) return;
    if (l->n_things < THINGS_MAX) l->things[l->n_things++] = (struct thing){label, size, clarity};
}

static void see(struct few__rng *rng, struct latent *l, enum ams_task task, enum size size, double low,
                double high)
{
    l->size[task] = size;
    l->clarity[task] = between(rng, low, high);
}

static void draw_action(struct few__rng *rng, const struct scene *s, struct latent *l)
{
    static const int from[] = {0, 130, AMS_SPORT}, n[] = {130, 130, AMS_SPORTS};
    see(rng, l, AMS_ACTION, s->doing, 0.7, 1);
    l->label[AMS_ACTION] = pick(rng, from[s->doing], n[s->doing]);
}

static void draw_people(struct few__rng *rng, const struct scene *s, struct latent *l)
{
    double u = few__rng_unit(rng);
    enum size size = u < s->large ? LARGE : u < s->large + s->middle ? MIDDLE : SMALL;
    bool face = happens(rng, s->face), hands = happens(rng, s->hands), action = happens(rng, s->action);
    l->group = happens(rng, s->group);
    l->profile = happens(rng, s->profile);
    l->left = happens(rng, 0.7);
    l->right = !l->left || happens(rng, 0.6);
    add_thing(l, 0, size, between(rng, 0.85, 1));
    l->label[AMS_EMOTION] = pick(rng, 0, 7);
    l->label[AMS_GENDER] = (int)few__rng_below(rng, 2);
    if (face) see(rng, l, AMS_FACE, size, 0.8, 1);
    if (face && size != SMALL) see(rng, l, AMS_LANDMARK, size, 0.75, 1);
    if (face && size != SMALL) see(rng, l, AMS_EMOTION, size, size == LARGE ? 0.6 : 0.4, 1);
    if (face || size == MIDDLE) see(rng, l, AMS_GENDER, size, 0.7, 1);
    if (size != LARGE) see(rng, l, AMS_POSE, l->group ? SMALL : size, 0.75, 1);
    if (hands) see(rng, l, AMS_HAND, size, 0.75, 1);
    if (action) draw_action(rng, s, l);
}

static void draw_dog(struct few__rng *rng, struct latent *l)
{
    double u = few__rng_unit(rng);
    enum size size = u < 0.35 ? LARGE : u < 0.75 ? MIDDLE : SMALL;
    see(rng, l, AMS_DOG, size, 0.75, 1);
    l->label[AMS_DOG] = pick(rng, 0, 120);
    add_thing(l, AMS_DOG_OBJECT, size, between(rng, 0.85, 1));
}

static void draw_latent(struct few__rng *rng, enum ams_dataset dataset, struct latent *l)
{
    const struct scene *s = draw_scene(rng, dataset);
    *l = (struct latent){.n_things = 0};
    if (happens(rng, s->person)) draw_people(rng, s, l);
    if (happens(rng, s->dog)) draw_dog(rng, l);
    see(rng, l, AMS_PLACE, domains[s->domain].seen_as, s->clear - 0.2, s->clear + 0.05);
    l->label[AMS_PLACE] = pick(rng, domains[s->domain].from, domains[s->domain].n);
    int n = s->n_objects / 2 + (int)few__rng_below(rng, (uint64_t)(s->n_objects / 2) + 1);
    for (int i = 0; i < n; i++) {
        int label = s->objects[few__rng_below(rng, BELONGS)];
        enum size size = (enum size)few__rng_below(rng, 3);
        add_thing(l, label, size, between(rng, 0.6, 1));
    }
}

/* ---- what models say ---- */

static const double GAIN = 6, MODEL_NOISE = 0.2, LABEL_NOISE = 0.1;

struct speaker {
    struct few__rng *rng;
    const struct ams_world *world;
    struct ams_item *item;
    size_t model;
    double shift; // how well it does on this item
};

static void say(struct speaker *k, int label, double strength)
{
    const struct ams_model *m = &ams_models[k->model];
    double score = GAIN * (strength - 0.5) + k->shift + LABEL_NOISE * noise(k->rng);
    if (score <= 0 || label < (int)m->from || label >= (int)(m->from + m->n)) return;
    struct few_valuable *v = &k->item->valuable[k->item->n];
    *v = (struct few_valuable){k->world->first[m->task] + label, (float)(0.5 + 0.5 * score / (1 + score))};
    if (v->confidence <= 0.5F) return;
    k->item->n++;
    k->item->truth[k->model].n_valuable++;
}

// Some models call some categories by the name of one of the next: always the same ones.
static int name_of(size_t model, int label, int n)
{
    unsigned mixed = (unsigned)label * 2654435761U + (unsigned)model * 40503U;
    bool renamed = (int)((mixed >> 8) % 100) < ams_models[model].renames;
    return renamed ? (label + 1 + (int)model % 3) % n : label;
}

// People are what detectors know best, whatever their size; a detector for few kinds of objects knows those better.
static double sees(const struct ams_model *m, const struct thing *thing)
{
    double ability = m->ability[thing->size];
    if (thing->label == 0) return ability < 0.65 ? 0.65 : ability;
    bool special = thing->label < AMS_ANIMAL || thing->label >= AMS_HOUSEHOLD;
    return special && m->n == 80 ? 0.88 * ability : ability;
}

static bool is_hidden(enum ams_task task, int point, int n, const struct latent *l)
{
    if (task == AMS_LANDMARK) return l->profile && point % 2 == 0; // the other half of the face
    return task == AMS_HAND && (point < n / 2 ? !l->left : !l->right);
}

static void say_points(struct speaker *k, const struct latent *l, double strength)
{
    const struct ams_model *m = &ams_models[k->model];
    for (int i = 0; strength > 0.3 && i < (int)m->n; i++)
        if (!is_hidden(m->task, i, (int)m->n, l)) say(k, i, strength);
}

// A face from the side is seen less well by what was made for the front, and the other way round.
static double turned(const struct ams_model *m, const struct latent *l, double less)
{
    return m->view == AMS_ANY || l->profile == (m->view == AMS_SIDE) ? 1 : less;
}

static void speak(struct speaker *k, const struct latent *l)
{
    static const int n[AMS_TASKS] = {
        [AMS_PLACE] = 365, [AMS_EMOTION] = 7, [AMS_GENDER] = 2, [AMS_ACTION] = 400, [AMS_DOG] = 120};
    const struct ams_model *m = &ams_models[k->model];
    double strength = l->clarity[m->task] * m->ability[l->size[m->task]];
    switch (m->task) {
    case AMS_OBJECT:
        for (int i = 0; i < l->n_things; i++)
            say(k, l->things[i].label, l->things[i].clarity * sees(m, &l->things[i]));
        break;
    case AMS_FACE: say(k, 0, strength * turned(m, l, 0.8)); break;
    case AMS_LANDMARK: say_points(k, l, strength * turned(m, l, 0.55)); break;
    case AMS_POSE:
    case AMS_HAND: say_points(k, l, strength); break;
    case AMS_PLACE:
    case AMS_EMOTION:
    case AMS_GENDER:
    case AMS_ACTION:
    case AMS_DOG: say(k, name_of(k->model, l->label[m->task], n[m->task]), strength); break;
    case AMS_TASKS: break;
    }
}

void ams_world_item(const struct ams_world *world, enum ams_dataset dataset, uint64_t number,
                    struct ams_item *item)
{
    struct few__rng rng;
    struct latent l;
    few__rng_init(&rng, world->seed, (uint64_t)dataset << 40 | number);
    draw_latent(&rng, dataset, &l);
    item->n = 0;
    for (size_t m = 0; m < AMS_MODELS; m++) {
        struct speaker k = {&rng, world, item, m, MODEL_NOISE * noise(&rng)};
        item->truth[m] = (struct few__sim_truth){.time_us = world->catalog.models[m].cost.time_us,
                                                 .valuable = &item->valuable[item->n]};
        speak(&k, &l);
        item->truth[m].result = item->truth[m].n_valuable > 0 ? FEW__RESULT_OK : FEW__RESULT_EMPTY;
    }
}
