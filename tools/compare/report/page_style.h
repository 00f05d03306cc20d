/*
 * page_style - how a page looks: large on a projector, in one column on a
 * telephone, without colours lost on paper.
 */
#ifndef PAGE_STYLE_H
#define PAGE_STYLE_H

extern const char page_style[];

#endif
