// The books of a new database: always the same ones.

import type { BookFields } from './book.ts';

export const SEED_BOOKS = 10_000;

const ADJECTIVES = 'Silent Golden Broken Hidden Distant Burning Frozen Gentle Crooked Last'.split(
  ' ',
);
const NOUNS = 'River Mountain Garden Letter Winter Harbour Mirror Forest Bridge Clock'.split(' ');
const PLACES = 'Aleppo Bergen Cádiz Dakar Évora Fès Gdańsk Hanoi Izmir Jaipur'.split(' ');
const FIRST = 'Ada Chinua Clarice Doris Italo Jorge Mary Naguib Orhan Wisława'.split(' ');
const LAST = 'Almeida Brandt Costa Dvořák Eriksen Fontaine García Hughes Ivanova Jansen'.split(' ');

/** Every combination of ten adjectives, nouns, places and first names. */
export function* seedBooks(): Generator<BookFields> {
  for (let index = 0; index < SEED_BOOKS; index++) {
    const digit = (position: number): number => Math.floor(index / 10 ** position) % 10;
    const title = `The ${ADJECTIVES[digit(0)]} ${NOUNS[digit(1)]} of ${PLACES[digit(2)]}`;
    const author = `${FIRST[digit(3)]} ${LAST[(digit(0) * 3 + digit(2)) % 10]}`;
    const book = { title, author, year: 1850 + ((index * 37) % 170) };
    yield index % 3 === 0 ? book : { ...book, pages: 80 + ((index * 53) % 900) };
  }
}
