// The types of route parameters, from the text of a pattern: '/users/:id' has { id: string }.

type NameCharacter =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o')
  | ('p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z' | '_')
  | ('0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9');

/** The name at the beginning of a text. */
type NameAt<Text extends string, Name extends string = ''> = Text extends `${infer C}${infer Rest}`
  ? Lowercase<C> extends NameCharacter
    ? NameAt<Rest, `${Name}${C}`>
    : Name
  : Name;

/** A ':' in a pattern always begins a parameter, a '*' is always its last segment. */
type ParamNames<Pattern extends string> =
  | (Pattern extends `${string}:${infer Rest}` ? NameAt<Rest> | ParamNames<Rest> : never)
  | (Pattern extends `${string}/*` ? '*' : never);

/** The parameters of a pattern. Of a pattern that is only known as a string, any may be absent. */
export type PathParams<Pattern extends string> = string extends Pattern
  ? Readonly<Record<string, string | undefined>>
  : Pattern extends unknown
    ? { readonly [Name in ParamNames<Pattern>]: string }
    : never;
