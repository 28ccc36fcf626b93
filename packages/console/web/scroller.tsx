import { useSignal } from '@preact/signals';
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A box that scrolls by itself, by keyboard, too: it takes the focus while its content is larger than it is. */
export function Scroller({
  title,
  kind = '',
  box,
  onScroll,
  children,
}: {
  readonly title: string;
  readonly kind?: string;
  readonly box?: RefObject<HTMLElement | null>;
  readonly onScroll?: (top: number) => void;
  readonly children: ComponentChildren;
}) {
  const own = useRef<HTMLElement>(null);
  const used = box ?? own;
  const scrolls = useSignal(false);
  // Before the first frame: what scrolls is a stop of the Tab key from then on.
  useLayoutEffect(() => {
    const element = used.current;
    if (element === null) return;
    const look = () => {
      scrolls.value = element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth;
    };
    look();
    const observer = new ResizeObserver(look);
    for (const each of [element, ...element.children]) observer.observe(each);
    return () => observer.disconnect();
  }, [used, scrolls]);
  return (
    <section
      class={`scroller ${kind}`}
      ref={used}
      tabIndex={scrolls.value ? 0 : undefined}
      aria-label={title}
      onScroll={(event) => onScroll?.(event.currentTarget.scrollTop)}
    >
      {children}
    </section>
  );
}
